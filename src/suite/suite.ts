/** A suite of a benchmark: tools, tasks of a user and attacks on them, each with the calls that carry it out and what they returned. */
import { z } from 'zod'
import { KernelError } from '../errors.ts'
import { readPlainly } from '../flaws.ts'
import { asJson, type Json, type JsonObject } from '../json.ts'
import { limits } from '../limits.ts'

export interface SuiteTool {
  readonly name: string
  readonly description: string
  /** A JSON Schema of type object. */
  readonly parameters: JsonObject
}

/** A call as it was recorded. */
export interface SuiteCall {
  readonly tool: string
  readonly args: JsonObject
  readonly result: Json
  /** What the tool said where it failed. */
  readonly error: string | undefined
}

export interface SuiteTask {
  readonly id: string
  /** What the user asks for, or the attacker. */
  readonly text: string
  readonly calls: readonly SuiteCall[]
}

export interface Suite {
  readonly name: string
  readonly version: string
  readonly tools: readonly SuiteTool[]
  readonly userTasks: readonly SuiteTask[]
  readonly attacks: readonly SuiteTask[]
  /** Places where an attacker can write, by name, with the text that stands there when nobody attacks. */
  readonly vectors: Readonly<Record<string, string>>
  /** The world that the tools look at. */
  readonly environment: Json
}

const text = z.string().min(1)
const json = z.json()
const args = z.record(z.string(), json)

const Call = z.object({ function: text, args: args.default({}) })
const Result = z.object({ result: json.optional(), error: z.string().nullish() })
const calls = {
  ground_truth: z.array(Call).max(limits.suiteCallsMax),
  ground_truth_results: z.array(Result),
}

const Document = z.object({
  suite: text,
  version: z.string().default(''),
  tools: z.array(z.object({ name: text, description: text, parameters: args })).min(1),
  user_tasks: z.array(z.object({ id: text, prompt: text, ...calls })).min(1),
  injection_tasks: z.array(z.object({ id: text, goal: text, ...calls })),
  injection_vectors: z.record(z.string(), z.string()),
  environment: json.default({}),
})

/**
 * @param content a file's text: JSON
 * @param shown how its user named it
 * @throws KernelError EINVAL with the place of what is not as a suite is
 */
export function readSuite(content: string, shown: string): Suite {
  const read = readPlainly(Document, parse(content, shown))
  if (!('data' in read)) {
    const [{ path, message }] = read.flaws
    throw unsound(shown, path.length === 0 ? message : `\`${path.join('.')}\`: ${message}`)
  }
  const { suite, version, tools, injection_vectors, environment, ...tasks } = read.data
  const known = new Set(tools.map(({ name }) => name))
  const taskOf = ({ id, ...task }: Recorded & { readonly id: string }, what: string): SuiteTask => {
    const unknown = task.ground_truth.find((call) => !known.has(call.function))
    if (unknown !== undefined)
      throw unsound(shown, `\`${id}\` calls \`${unknown.function}\`, which is no tool`)
    if (task.ground_truth.length !== task.ground_truth_results.length)
      throw unsound(shown, `\`${id}\` has not as many results as calls`)
    return { id, text: what, calls: callsOf(task) }
  }
  return {
    ...{ name: suite, version, vectors: injection_vectors },
    environment: asJson(environment, 'environment'),
    tools: tools.map((tool) => ({ ...tool, parameters: asJson(tool.parameters, tool.name) as JsonObject })),
    userTasks: tasks.user_tasks.map((each) => taskOf(each, each.prompt)),
    attacks: tasks.injection_tasks.map((each) => taskOf(each, each.goal)),
  }
}

type Recorded = z.infer<z.ZodObject<typeof calls>>

const callsOf = ({ ground_truth, ground_truth_results }: Recorded): readonly SuiteCall[] =>
  ground_truth.map((call, index) => ({
    tool: call.function,
    args: asJson(call.args, 'args') as JsonObject,
    result: asJson(ground_truth_results[index]?.result ?? null, 'result'),
    error: ground_truth_results[index]?.error ?? undefined,
  }))

function parse(content: string, shown: string): unknown {
  try {
    return JSON.parse(content)
  } catch (error) {
    throw unsound(shown, `it is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}

const unsound = (shown: string, why: string): KernelError =>
  new KernelError('EINVAL', `\`${shown}\` is no suite of tasks and attacks: ${why}`)
