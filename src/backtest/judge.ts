/** One recorded call, decided again: the gate's own questions, with what the record tells in place of drivers. */
import { SyscallError } from '../errors.ts'
import { assertNotAround } from '../gate/around.ts'
import { contentOf } from '../gate/content.ts'
import { mergeDecisions } from '../gate/merge.ts'
import { askPolicy } from '../gate/question.ts'
import type { Runs } from '../gate/runs.ts'
import { type Json, type JsonObject, parseGuestJson } from '../json.ts'
import { isAction } from '../policy/actions.ts'
import { Content, Unscannable } from '../policy/content.ts'
import type { Decision, Obligation, RuleRef } from '../policy/types.ts'
import { isLimit } from '../proc/tallies.ts'
import { assertWholeRemoval } from '../syscalls/fs.ts'
import type { Judged, JudgeMeans, Syscall } from '../syscalls/row.ts'
import { findSyscall } from '../syscalls.ts'
import { type Answer, isShownOnly, type RecordedCall } from './call.ts'
import type { Doubts } from './doubts.ts'
import type { Past } from './past.ts'
import type { Rebuilt } from './rebuilt.ts'

/** What would be said to a call. */
export interface Verdict {
  readonly answer: Answer
  readonly rules: readonly RuleRef[]
  readonly reason: string
  readonly judged: readonly Judged[]
  /** Of what lets it through, or asks. */
  readonly obligations: readonly Obligation[]
  /** Its decoded arguments, where they are at hand. */
  readonly args: Json | undefined
}

interface Question {
  readonly judged: readonly Judged[]
  readonly content: Content
  readonly args: Json | undefined
}

export class Judge {
  readonly #past: Past
  readonly #runs: Runs
  readonly #doubts: Doubts
  /** By tool: what it takes. */
  readonly #tools: ReadonlyMap<string, JsonObject>
  readonly #unknown: Json

  constructor(past: Past, doubts: Doubts, tools: ReadonlyMap<string, JsonObject>) {
    this.#past = past
    this.#runs = past.runs
    this.#doubts = doubts
    this.#tools = tools
    this.#unknown = doubts.over({}, 'payload')
  }

  /**
   * Asks the policy under which the process would be, and counts nothing.
   * @param text the arguments, where they are wanted and there
   * @returns what it says; undefined where there is nothing to ask. What it looked at without knowing is a doubt.
   */
  judge(process: Rebuilt, call: RecordedCall, text: string | undefined): Verdict | undefined {
    const question = this.#questionOf(process, call, text)
    if (question === undefined) return undefined
    const { judged, content, args } = question
    const { answered, forbidden } = askPolicy(process, this.#past, judged, content)
    if (forbidden !== undefined) {
      const { rules, reason } = forbidden.decision
      return { answer: 'forbid', rules, reason, judged, obligations: [], args }
    }
    try {
      this.#assertWhole(process, call, args)
      // Without its arguments no rule with `redact` is about it: they would have been wanted.
      if (args !== undefined)
        assertNotAround(call.syscall, args, answered, (request) => process.policy.decide(request))
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      return { answer: 'forbid', rules: [], reason: error.message, judged, obligations: [], args }
    }
    const decision = mergeDecisions(answered.map((each) => each.decision))
    return decision === undefined ? undefined : this.#limited(process, decision, { judged, args })
  }

  /** @throws SyscallError EPERM for a removal of more than may go */
  #assertWhole(process: Rebuilt, { syscall, resource = '' }: RecordedCall, args: Json | undefined): void {
    if (syscall !== 'fs.remove') return
    if (args !== undefined) assertWholeRemoval(args as never, process)
    else if (!process.policy.permitsBelow(process.name, ['fs.remove'], resource)) this.#doubts.add('payload')
  }

  /** Whether what lets it through may do so once more. Times are on record a moment later than they were taken. */
  #limited(process: Rebuilt, decision: Decision, known: Pick<Verdict, 'judged' | 'args'>): Verdict {
    const { effect, rules, reason, obligations = [] } = decision
    const verdict = { answer: effect, rules, reason, obligations, ...known }
    const counted = obligations.filter(isLimit)
    if (counted.length === 0) return verdict
    const early = this.#past.shifted(-1, () => this.#whyNot(process, counted))
    const late = this.#past.shifted(1, () => this.#whyNot(process, counted))
    if ((early === undefined) !== (late === undefined)) this.#doubts.add('time')
    return late === undefined ? verdict : { ...verdict, answer: 'limited', reason: late }
  }

  #whyNot(process: Rebuilt, counted: readonly Obligation[]): string | undefined {
    try {
      const { tallies, now } = this.#runs.talliesOf(process)
      tallies.assertFree(counted, now)
      return undefined
    } catch (error) {
      if (error instanceof SyscallError) return error.message
      throw error
    }
  }

  #questionOf(process: Rebuilt, call: RecordedCall, text: string | undefined): Question | undefined {
    const { syscall, resource } = call
    if (resource === undefined) return undefined
    if (text === undefined) return this.#withoutArguments(syscall, resource)
    const read = this.#read(process, call, text)
    if (read === undefined) return this.#withoutArguments(syscall, resource)
    const { judged, args } = read
    const asked = judged.map((each) => each.resource)
    const isSame = isShownOnly(resource) || [[...new Set(asked)].join(' → '), ...asked].includes(resource)
    if (!isSame) this.#doubts.add('record')
    return { judged: judged.map((each) => this.#doubtTool(each)), content: contentOf(syscall, args), args }
  }

  /** @returns the questions as the gate asks them; undefined, and a doubt, where the text is none that it took */
  #read(
    process: Rebuilt,
    { syscall, resource = '' }: RecordedCall,
    text: string,
  ): { readonly judged: readonly Judged[]; readonly args: Json } | undefined {
    const means: JudgeMeans = {
      tool: { schemaOf: (name, _, wrapped) => this.#schemaOf(process, name, wrapped) },
      table: { findFor: () => ({ name: resource }) },
    }
    try {
      const row: Syscall = findSyscall(syscall)
      const decoded = row.args.safeParse(parseGuestJson(text))
      if (decoded.success)
        return { judged: row.judge?.(decoded.data, means, process) ?? [], args: decoded.data as Json }
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
    }
    this.#doubts.add('payload')
    return undefined
  }

  #schemaOf(process: Rebuilt, name: string, wrapped: number | undefined): JsonObject | undefined {
    return wrapped === undefined ? this.#tools.get(name) : process.wrapped.get(`${wrapped} ${name}`)
  }

  #withoutArguments(syscall: string, resource: string): Question {
    const content = new Content(() => {
      this.#doubts.add('payload')
      throw new Unscannable('its arguments are not on record')
    })
    if (!isAction(syscall) || isShownOnly(resource)) this.#doubts.add('payload')
    const action = syscall === 'fs.move' ? 'fs.read' : syscall
    // Which of several wrapped tools of one name it was, its arguments would say.
    const schema = syscall === 'tool.call' ? this.#tools.get(resource) : undefined
    const question = { action, resource, args: this.#unknown, schema } as unknown as Judged
    return { judged: [question], content, args: undefined }
  }

  /** A number is of another type in a condition where nobody says what the tool takes. */
  #doubtTool(question: Judged): Judged {
    if (question.action !== 'tool.call' || question.schema !== undefined) return question
    const { args } = question
    if (args === null || typeof args !== 'object') return question
    return { ...question, args: this.#doubts.over(args, 'schema') }
  }
}
