/** The options of a kernel and of a process: closed sets, checked before anything runs. */
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import type { ApprovalOptions } from '../approvals/request.ts'
import type { LlmOptions } from '../drivers/llm/open.ts'
import type { SecretOptions } from '../drivers/net/secrets/open.ts'
import type { ToolDefinition } from '../drivers/tool-definition.ts'
import type { HostMounts } from '../drivers/vfs/layout.ts'
import { KernelError } from '../errors.ts'
import type { SignerOption } from '../evidence/keys.ts'
import { plainly } from '../flaws.ts'
import type { Jail } from '../isolate/jail.ts'
import { limits } from '../limits.ts'
import { parseBudget } from '../policy/budget.ts'
import { type Budget, type BudgetDocument, type Isolation, isolations } from '../policy/types.ts'
import { parseAge } from '../policy/units.ts'
import { llmSchema } from './llm.ts'
import { duration, labels, measured } from './option-parts.ts'
import type { PolicyRef } from './policy.ts'
import { type ForkOptions, forkSchema, type ResumeOptions, resumeSchema } from './rebuild.ts'

export interface CellOptions {
  /** `shared` (default): processes of one agent name and policy hash share cells; `own`: each has a cell to itself. */
  readonly sharing?: 'shared' | 'own'
  /** Most processes that share one cell; 16 by default, at most 64. */
  readonly processes?: number
  /** Most cells at once, each a process of some 50 MB; past it a start is EAGAIN. 24 by default, at most 1,024. */
  readonly max?: number
  /** Cells started ahead of need, so that a process does not wait for one; 1 by default, at most 16. */
  readonly spare?: number
  /**
   * What is around a cell besides what every cell has (docs/decisions/cells.md). `bubblewrap`: no network, no
   * other process, and of files only those it runs on; refused where bubblewrap does not work. `none` by default.
   */
  readonly jail?: Jail
}

export interface EvidenceFolderOptions {
  /** The folder; it is what one hands to an auditor. */
  readonly dir: string
  /** What an effect outside the kernel waits for: `process` (default) survives any death of the process, `disk` a loss of power. */
  readonly durability?: 'process' | 'disk'
  /**
   * Who signs checkpoints: a path to a private Ed25519 key (PEM, PKCS#8, mode 0600, neither in the folder of the evidence
   * nor in a mount), or a signer. By default one key of this user, made when it is needed first and hidden from every
   * mount: `gatehouse/evidence.key` under the user's configuration directory.
   */
  readonly key?: string | SignerOption
  /** The key that has signed here until now: it endorses `key`, so that an auditor who has the old one can go on. */
  readonly previousKey?: string | SignerOption
  /** How long arguments, results and programs of a run are kept after it, such as `30d`; for ever by default. */
  readonly retention?: string
  /** Entries from one snapshot of the kernel's state to the next; 16,384 by default, 0 for none. With it `resume` and `fork` read less. */
  readonly snapshotEvery?: number
  /** Goes on where the kernel ended that wrote there last, if it did not end in order; `kernel.restored` tells with what. */
  readonly resume?: boolean | ResumeOptions
  /** Begins with a run of its own where one on record was. */
  readonly fork?: ForkOptions
}

export interface KernelOptions {
  /** The ceiling for every process: a preset, a path, a policy, or several that must all agree. `strict` by default. */
  readonly policy?: PolicyRef
  /** Where agent code runs unless it says otherwise; `cell` by default. */
  readonly isolation?: Isolation
  /** How agent code in `cell` isolation is spread over child processes, and what is around them. */
  readonly cells?: CellOptions
  /** Where the record is kept; in memory by default. */
  readonly evidence?: 'memory' | EvidenceFolderOptions
  /** Whether other terminals of the same user can reach this kernel; by default where evidence has a directory. */
  readonly control?: boolean
  /**
   * Whether SIGTERM and SIGINT to the application shut all of its kernels down in order and let it exit with code 0; a
   * second one ends it at once. `true` by default; an application that listens for the signal itself is left alone.
   */
  readonly exitOnSignal?: boolean
  /**
   * Calls that the policy lets a person decide about: how long they wait (`timeout`, `10m` by default, then they are
   * denied), and a hook for a user interface of your own (`ask`). `kernel.approvals` answers them too.
   */
  readonly approvals?: ApprovalOptions
  /** Host folders that agents see: guest path → host folder, read-only unless said. */
  readonly mounts?: HostMounts
  readonly tools?: Readonly<Record<string, ToolDefinition<never>>>
  /** Models that agents may ask where their policy permits `llm.*`, and what they cost (docs/models.md). */
  readonly llm?: LlmOptions
  /**
   * Values that agents send and never see: name → where the value comes from, and which servers may get it. A guest
   * writes `${secret:NAME}` into a header (docs/secrets.md).
   */
  readonly secrets?: SecretOptions
  /** Limits of every process, in the form of a policy's budget; the stricter of both counts. */
  readonly limits?: BudgetDocument
  /** Makes identifiers and the randomness of guests repeat; salts and keys never come from it. */
  readonly seed?: number
}

const budget = z.record(z.string(), z.union([z.string(), z.number()]))
const policy = z.custom<string | object>(
  (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
  'expected a preset, a path, a policy or a list of these',
)
const name = z
  .string()
  .min(1)
  .max(limits.agentNameMax)
  .regex(
    /^[\p{L}\p{N}_][\p{L}\p{N}_.@ -]*$/u,
    'a name has letters, digits, spaces and `_ - . @`, and begins with a letter or digit',
  )

const mount = z.strictObject({
  host: z.string().min(1),
  mode: z.enum(['ro', 'rw', 'append']).optional(),
  labels: labels.optional(),
})

/** A secret may have been put in a wrong place: no message shows what was found. */
const secret = z.strictObject({
  value: z
    .custom<string | (() => string | Promise<string>)>(
      (given) => typeof given === 'string' || typeof given === 'function',
      'expected a text or a function',
    )
    .optional(),
  env: z.string('expected a text').min(1).optional(),
  file: z.string('expected a text').min(1).optional(),
  origins: z.array(z.string('expected a text'), 'expected a list'),
  in: z
    .array(z.enum(['header', 'body', 'query'], 'expected header, body or query'), 'expected a list')
    .optional(),
})

const key = z.custom<string | SignerOption>(
  (it) =>
    (typeof it === 'string' && it !== '') ||
    (typeof it === 'object' && it !== null && 'sign' in it && typeof it.sign === 'function'),
  'a key is a path, or a signer `{ name, publicKey, sign }`',
)

const evidence = z.union([
  z.literal('memory'),
  z
    .strictObject({
      dir: z.string().min(1),
      durability: z.enum(['process', 'disk']).optional(),
      retention: measured(parseAge, '`0` would keep nothing that the record refers to').optional(),
      snapshotEvery: z.int().min(0).optional(),
      key: key.optional(),
      previousKey: key.optional(),
      resume: resumeSchema.optional(),
      fork: forkSchema.optional(),
    })
    .refine(
      ({ resume, fork }) => fork === undefined || resume === undefined || resume === false,
      'a kernel goes on with `resume`, or begins with `fork`; not both',
    ),
])

const cells = z.strictObject({
  sharing: z.enum(['shared', 'own']).optional(),
  processes: z.int().min(1).max(limits.processesPerCellMax).optional(),
  max: z.int().min(1).max(limits.cellsHardMax).optional(),
  spare: z.int().min(0).max(limits.cellsSpareMax).optional(),
  jail: z.enum(['none', 'bubblewrap']).optional(),
})

const kernelSchema = z.strictObject({
  policy: policy.optional(),
  isolation: z.enum(isolations).optional(),
  cells: cells.optional(),
  evidence: evidence.optional(),
  control: z.boolean().optional(),
  exitOnSignal: z.boolean().optional(),
  approvals: z
    .strictObject({
      timeout: duration.optional(),
      ask: z.custom((it) => typeof it === 'function').optional(),
    })
    .optional(),
  mounts: z.record(z.string(), mount).optional(),
  tools: z
    .record(
      z.string(),
      z.custom<object>((value) => typeof value === 'object' && value !== null),
    )
    .optional(),
  llm: llmSchema.optional(),
  secrets: z.record(z.string(), secret).optional(),
  limits: budget.optional(),
  seed: z.int().optional(),
})

const spawnSchema = z.strictObject({
  args: z.array(z.unknown()).optional(),
  name: name.optional(),
  policy: policy.optional(),
  budget: budget.optional(),
  isolation: z.enum(isolations).optional(),
  labels: labels.optional(),
})

export type CheckedKernelOptions = z.infer<typeof kernelSchema>
export type CheckedSpawnOptions = z.infer<typeof spawnSchema>

/** @throws KernelError EINVAL that names the option, what was found and what was meant */
export function readKernelOptions(given: unknown): CheckedKernelOptions {
  const options = read('KernelSpace', kernelSchema, given)
  if (options.control === true && (options.evidence ?? 'memory') === 'memory')
    throw new KernelError(
      'EINVAL',
      'the option `control` of KernelSpace needs evidence in a directory, in which the socket lies, such as `evidence: { dir: ".gatehouse" }`',
    )
  return options
}

/** @throws KernelError EINVAL that names the option, what was found and what was meant */
export const readSpawnOptions = (given: unknown): CheckedSpawnOptions => read('spawn', spawnSchema, given)

/** @throws KernelError EINVAL for a name that cannot stand in policies, paths and tables */
export function readAgentName(given: unknown): string {
  const checked = name.safeParse(given)
  if (checked.success) return checked.data
  throw new KernelError(
    'EINVAL',
    `an agent cannot be called \`${String(given).slice(0, 80)}\`: ${checked.error.issues[0]?.message ?? 'not a name'}`,
  )
}

/** @throws KernelError EINVAL for an unknown charge or a value without its unit */
export function readBudget(given: Readonly<Record<string, string | number>> | undefined): Budget {
  return given === undefined ? {} : parseBudget(given)
}

/** @returns the keys of an object within a schema; none where it is no object */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let part: unknown = schema
  for (const step of [...path, undefined]) {
    while (part instanceof z.ZodOptional) part = part.unwrap()
    if (!(part instanceof z.ZodObject)) return []
    if (step === undefined) return Object.keys(part.shape)
    part = part.shape[String(step)]
  }
  return []
}

/** What is wrong within one of several forms, where that can be told; otherwise that it is none of them. */
function innermost(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue
  const within = issue.errors.flat().find(({ path, code }) => path.length > 0 || code === 'unrecognized_keys')
  return within === undefined ? issue : { ...within, path: [...issue.path, ...within.path] }
}

function read<Schema extends z.ZodObject>(of: string, schema: Schema, given: unknown): z.infer<Schema> {
  const checked = schema.safeParse(given, { error: plainly })
  if (checked.success) return checked.data
  const issue = innermost(checked.error.issues[0])
  if (issue?.code === 'unrecognized_keys') {
    const key = String(issue.keys[0])
    const known = keysAt(schema, issue.path)
    const hint =
      known.length === 0 ? '' : `; did you mean \`${closest(key, known)}\`? There are ${known.join(', ')}`
    throw new KernelError('EINVAL', `\`${[...issue.path, key].join('.')}\` is no option of ${of}${hint}`)
  }
  const path = issue?.path.join('.') ?? ''
  throw new KernelError(
    'EINVAL',
    `the option \`${path}\` of ${of} is not sound: ${issue?.message ?? 'unknown reason'}`,
  )
}
