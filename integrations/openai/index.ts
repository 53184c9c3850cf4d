/**
 * The OpenAI client under the kernel: `new OpenAIKernel(kernel).wrap(client)`. Requests to models are governed where they
 * leave the client, whichever of its doors they come from; functions of `runTools` and of assistants where they are called.
 */
import { checkFramework, type KernelSpace, type WrapOptions, type Wrapping } from 'gatehouse'
import type OpenAI from 'openai'
import { VERSION } from 'openai/version'
import { type AssistantOptions, AssistantRunner } from './assistant.ts'
import { type Fetch, governedFetch } from './requests.ts'
import { type RunnerBody, runTools } from './runner.ts'

export type { AssistantOptions, AssistantTool } from './assistant.ts'

/** What this integration was tried with. */
export const tested = { name: 'openai', from: '7.0.0', below: '8.0.0' } as const

export interface OpenAIOptions extends WrapOptions {
  /** How policies and prices call the provider: `openai` where nothing is said. */
  readonly provider?: string
}

export class OpenAIKernel {
  readonly #wrapping: Wrapping
  readonly #provider: string

  /** @throws KernelError EINVAL for options that are not sound */
  constructor(kernel: KernelSpace, { provider = 'openai', ...options }: OpenAIOptions = {}) {
    const version = checkFramework(tested, import.meta.url, VERSION)
    this.#wrapping = kernel.wrapping({ framework: { name: tested.name, version }, ...options })
    this.#provider = provider
  }

  /**
   * @returns a client with the same options. Each call of a model is a process of its own, and each of `runTools` is one with
   *   all that it leads to
   */
  wrap<Client extends OpenAI>(client: Client): Client {
    const fetch = Reflect.get(client, 'fetch') as Fetch
    const governed = client.withOptions({
      fetch: governedFetch(fetch, this.#wrapping.model(), this.#provider) as never,
    })
    const { completions } = governed.chat
    const run = completions.runTools.bind(completions) as (body: RunnerBody, options?: object) => unknown
    own(completions, 'runTools', (body: RunnerBody, options?: object) =>
      runTools(this.#wrapping, body, options, run),
    )
    // What is made of it is governed too.
    own(governed, 'withOptions', (options: object) => this.wrap(client.withOptions(options)))
    return governed as Client
  }

  /**
   * An assistant of the Assistants API, which OpenAI has deprecated: its functions are run here, each through the gate.
   * @param client as the application has it
   */
  wrapAssistant(client: OpenAI, options: AssistantOptions): AssistantRunner {
    return new AssistantRunner(client, options, this.#wrapping, this.#provider)
  }
}

const own = (object: object, key: string, value: unknown): object =>
  Object.defineProperty(object, key, { value, configurable: true, writable: true })
