/** The closed form of a policy document, as JSON Schema: what is checked at load, and what an editor completes from. */
import { limits } from '../limits.ts'
import { actionPatterns } from './actions.ts'
import { dataKinds } from './detect/kinds.ts'
import { engineNames } from './engines/engine.ts'
import { demandsSchema } from './obligations.ts'
import { cells, effects, isolations, modes, raisedSignals, signalActions } from './types.ts'
import { durationPattern, moneyPattern, sizePattern } from './units.ts'

/** The classes of address beyond the public internet, as src/grant.ts has them. */
export const addressClasses = ['loopback', 'private', 'linkLocal'] as const

/** Names of policies and rules: they end up in messages, in evidence and as file names under /policy. */
export const identifierPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'

const identifier = { type: 'string', pattern: identifierPattern }

/** As `opa build -e` takes it. */
const entrypointPattern = '^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*$'

const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }

const oneOrMore = (item: object, description: string): object => ({
  description,
  anyOf: [item, { type: 'array', items: item, minItems: 1, maxItems: limits.patternsMax, uniqueItems: true }],
})

const pattern = { type: 'string', minLength: 1, maxLength: limits.patternMax }

const comment = { type: 'string', maxLength: limits.patternMax }

const budgetSchema = {
  description: 'limits of one process and its children; the least of all policies counts',
  type: 'object',
  additionalProperties: false,
  properties: {
    syscalls: { ...count, description: 'calls' },
    wall: { type: 'string', pattern: durationPattern, description: 'time from start to end, such as 30m' },
    cpu: { type: 'string', pattern: durationPattern, description: 'time on a processor, such as 60s' },
    memory: { type: 'string', pattern: sizePattern, description: 'heap, such as 64MiB' },
    tokens: { ...count, description: 'tokens of models, in and out' },
    cost: {
      description: 'US dollars, such as 2.00',
      anyOf: [
        { type: 'number', minimum: 0 },
        { type: 'string', pattern: moneyPattern },
      ],
    },
    bits: { ...count, description: 'what extractions may tell, in bits; none where left out' },
    depth: { ...count, maximum: limits.depthMax, description: 'generations of children below the process' },
  },
}

const ruleSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'effect', 'action'],
  properties: {
    id: { ...identifier, description: 'unique in the policy; decisions and evidence name it' },
    effect: { enum: effects, description: 'forbid beats ask, ask beats permit, silence forbids' },
    action: oneOrMore({ enum: actionPatterns }, 'what the rule is about'),
    resource: oneOrMore(pattern, 'paths, URLs or names with * and **; any where left out'),
    principal: oneOrMore(pattern, 'names of agents with *; any where left out'),
    addresses: {
      description:
        'addresses beyond the public internet that a rule which permits net.fetch, or asks about it, includes',
      type: 'array',
      items: { enum: addressClasses },
      minItems: 1,
      uniqueItems: true,
    },
    when: {
      type: 'string',
      minLength: 1,
      maxLength: limits.conditionMax,
      description: 'a condition in CEL; the rule applies only where it is true',
    },
    contains: {
      description: 'kinds of data; the rule applies only where what the call holds has one of them',
      type: 'array',
      items: { enum: dataKinds },
      minItems: 1,
      uniqueItems: true,
    },
    ...demandsSchema,
    for: { ...comment, description: 'why the rule is here' },
  },
}

/** What every policy can say, whatever its rules are written in. */
const head = {
  version: { const: 1, description: 'of the language' },
  name: { ...identifier, description: 'decisions and evidence name it' },
}
const terms = {
  for: { ...comment, description: 'whom the policy is for' },
  isolation: {
    enum: isolations,
    description: 'the weakest isolation that is accepted; host where left out',
  },
  cell: {
    enum: cells,
    description: 'own: each process has a cell to itself; shared where left out',
  },
  mode: { enum: modes, description: 'enforce (where left out), or observe: record and refuse nothing' },
  budget: budgetSchema,
  signals: {
    description: 'what the signals do that the kernel raises; the strictest of all policies counts',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(raisedSignals.map((name) => [name, { enum: signalActions }])),
  },
  loop: {
    description: 'when the kernel raises SIGLOOP',
    type: 'object',
    additionalProperties: false,
    required: ['repeats'],
    properties: {
      repeats: {
        type: 'integer',
        minimum: 2,
        maximum: limits.loopRepeatsMax,
        description: 'how often the same call, or cycle of up to eight calls, may follow itself',
      },
    },
  },
}

const path = { type: 'string', minLength: 1, maxLength: limits.pathMax }

const draft = 'http://json-schema.org/draft-07/schema#'

export const policySchema = {
  $schema: draft,
  title: 'Gatehouse policy',
  description: 'What an agent may do. See docs/policy.md.',
  type: 'object',
  additionalProperties: false,
  required: ['version', 'name', 'rules'],
  properties: {
    ...head,
    extends: {
      ...path,
      description:
        'a preset or a file that this policy narrows, or * for whatever stands beside it: its rules forbid, ask, or demand something of what is permitted there',
    },
    ...terms,
    rules: { type: 'array', maxItems: limits.policyRulesMax, items: ruleSchema },
  },
}

/** A document that loads a file of another language. */
export const engineSchema = {
  $schema: draft,
  title: 'Gatehouse policy in another language',
  description: 'A Cedar or Rego policy as one of those that have to agree. See docs/policy.md.',
  type: 'object',
  additionalProperties: false,
  required: ['version', 'name', 'engine', 'file'],
  properties: {
    ...head,
    engine: { enum: engineNames, description: 'what the file is written in' },
    file: { ...path, description: 'a .cedar file, or a .wasm file that `opa build -t wasm` made' },
    entrypoint: {
      type: 'string',
      pattern: entrypointPattern,
      description: 'of a Rego module, such as gatehouse/decision; left out where it has one alone',
    },
    data: { ...path, description: 'a .json file, the `data` of a Rego module' },
    ...terms,
  },
}

/** What people look for as a key, and how it is said instead. */
export const saidOtherwise: Readonly<Record<string, string>> = {
  origin: 'is a function in conditions: `when: origin(args.to) in ["task", "trusted"]`',
  history: 'is for conditions: `when: history.run.count("tool.call", "send_*") >= 3`',
  args: 'is for conditions: `when: args.amount <= 100`',
  obligations: 'is said by keys of the rule itself: `label`, `redact`, `log`, `once`, `rateLimit`',
  approval: 'is the effect `ask`',
  approvals: 'is the effect `ask`; for how long is an option of the kernel',
}

/** @returns the text of policies/schema.json; a test holds the two equal */
export const policySchemaText = (): string => {
  const { $schema, ...ours } = policySchema
  const { $schema: _same, ...others } = engineSchema
  const either = { $schema, oneOf: [ours, others] }
  return `${JSON.stringify(either, null, 2)}\n`
}
