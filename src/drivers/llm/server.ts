/** Models behind a URL: any server that speaks OpenAI's protocol, asked by way of the kernel's own egress. */
import { createRequire } from 'node:module'
import { KernelError, SyscallError } from '../../errors.ts'
import type { AddressClass } from '../../grant.ts'
import { bearerOf, type Egress, type EgressFetch } from '../net/egress.ts'
import { parseUrl } from '../net/url.ts'
import {
  type EmbeddingModelObject,
  embeddingOfObject,
  type LanguageModelObject,
  languageOfObject,
} from './given.ts'
import type { Model } from './model.ts'

/** A model of a server that speaks OpenAI's protocol. Needs the package `@ai-sdk/openai-compatible`. */
export interface ServerModel {
  /** Where its API begins, such as `https://api.openai.com/v1`. */
  readonly url: string
  /** As the server calls it. */
  readonly model: string
  /** The name of a secret that is sent as its key; the option `secrets` says that it may go there. */
  readonly key?: string
  /** Classes of address beyond the public internet that the server may have, such as `loopback`. */
  readonly addresses?: readonly AddressClass[]
}

const packageName = '@ai-sdk/openai-compatible'
const install = `${packageName}@^3.0.0`

/** A schema is asked for as it is: in its strict form servers refuse most of what JSON Schema can say. */
const settings = { openaiCompatible: { strictJsonSchema: false } }

interface Compatible {
  createOpenAICompatible(settings: {
    readonly name: string
    readonly baseURL: string
    readonly headers: Readonly<Record<string, string>>
    readonly includeUsage: boolean
    readonly supportsStructuredOutputs: boolean
    readonly fetch: EgressFetch
  }): {
    chatModel(model: string): LanguageModelObject
    embeddingModel(model: string): EmbeddingModelObject
  }
}

/**
 * @param name as agents call it
 * @throws KernelError EINVAL for a URL or a secret that is not sound, or where the package is not installed
 */
export function serverModel(
  name: string,
  { url, model, key, addresses = [] }: ServerModel,
  egress: Egress,
): Model {
  const refuse = (why: string): KernelError =>
    new KernelError('EINVAL', `the model \`${name}\` of the option \`llm\`: ${why}`)
  try {
    parseUrl(url)
    if (key !== undefined) egress.assertMayGo(key, url)
  } catch (error) {
    if (error instanceof SyscallError) throw refuse(error.message)
    throw error
  }
  const provider = requireCompatible(refuse).createOpenAICompatible({
    name: name.slice(0, name.indexOf('/')),
    baseURL: url,
    headers: key === undefined ? {} : { authorization: bearerOf(key) },
    includeUsage: true,
    supportsStructuredOutputs: true,
    fetch: egress.fetchFor(url, addresses),
  })
  return {
    name,
    language: languageOfObject(provider.chatModel(model), settings),
    embedding: embeddingOfObject(provider.embeddingModel(model)),
  }
}

/** Loaded when the first model asks for it: others need it not. */
function requireCompatible(refuse: (why: string) => KernelError): Compatible {
  try {
    return createRequire(import.meta.url)(packageName) as Compatible
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
    throw refuse(
      `a URL needs the package \`${install}\`, which ${isMissing ? 'is not installed' : 'does not load'}: \`npm install ${install}\``,
    )
  }
}
