/** A policy in another language: what it is made of, what it is asked, and what it answers. */

import { KernelError } from '../../errors.ts'
import type { Reading } from '../match.ts'
import type {
  BudgetDocument,
  Cell,
  Effect,
  Isolation,
  Mode,
  PolicyDocument,
  PolicySet,
  Request,
  Rule,
  Verdict,
} from '../types.ts'

export const engineNames = ['cedar', 'rego'] as const
export type EngineName = (typeof engineNames)[number]

/** How each is called in messages, and what its files end in. */
export const engineFacts: Readonly<Record<EngineName, { readonly title: string; readonly ending: string }>> =
  {
    cedar: { title: 'Cedar', ending: '.cedar' },
    rego: { title: 'Rego', ending: '.wasm' },
  }

/** What one file of another language is loaded as; its schema is part of policies/schema.json. */
export interface EngineDocument {
  readonly version: 1
  readonly name: string
  readonly engine: EngineName
  /** A path; relative ones start at the folder of the document. */
  readonly file: string
  /** Of a Rego module with several. */
  readonly entrypoint?: string
  /** A path of JSON for a Rego module, its `data`. */
  readonly data?: string
  readonly for?: string
  readonly isolation?: Isolation
  readonly cell?: Cell
  readonly mode?: Mode
  readonly budget?: BudgetDocument
  readonly signals?: PolicyDocument['signals']
  readonly loop?: PolicyDocument['loop']
  /** SHA-256 of what the file and the data held when they were read, as hex; nobody writes it. */
  readonly sha256?: { readonly file: string; readonly data?: string }
}

/** Ready to be asked. */
export interface Engine {
  readonly name: EngineName
  /** The policy as its author wrote it; undefined where that is no text. */
  readonly source?: string
  /**
   * @param reading one way to read the resource; each is asked about by itself
   * @throws where it cannot say, with why as the message; the call is forbidden then
   */
  ask(request: Request, reading: Reading): EngineAnswer
}

export interface EngineAnswer {
  readonly effect: Effect
  /** Those that decide; none where nothing permits. */
  readonly rules: readonly Rule[]
  /** Why, in its own words. */
  readonly why?: string | undefined
}

/** What stands for a rule of another language: it decides, and has no patterns that we could look at. */
export const foreignRule = (id: string, line: number, effect: Verdict['effect']): Rule => ({
  id,
  line,
  effect,
  actions: [],
  resources: undefined,
  principals: undefined,
  addresses: [],
  when: undefined,
  contains: undefined,
  demands: undefined,
})

/**
 * For what looks at the patterns of rules.
 * @param what is to be done with the rules, as the end of "the rules of … cannot be …"
 * @throws KernelError EINVAL where a policy has rules that only its engine can read
 */
export function assertOwnRules(set: PolicySet, what: string): void {
  for (const { name, engine } of set.policies)
    if (engine !== undefined)
      throw new KernelError(
        'EINVAL',
        `the rules of \`${name}\` cannot be ${what}: it is written in ${engineFacts[engine.name].title}, whose rules only its own engine reads; \`policy explain\` and \`policy test\` ask it`,
      )
}
