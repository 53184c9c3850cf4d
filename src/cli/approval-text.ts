/** A request for approval as a person reads it: everything that the answer holds for, and nothing of it hidden. */
import type { ApprovalRequest, Change, SideOfChange } from '../approvals/request.ts'
import { seconds } from './process-cells.ts'
import { exactLine } from './terminal.ts'

/** Before every line that an agent or a file could have written, so that none can pass for one of ours. */
const quote = '  | '

/**
 * @param now kernel time, ms since 1970
 * @returns lines that are fit for a terminal
 */
export function approvalLines(request: ApprovalRequest, now: number): readonly string[] {
  const { id, syscall, resource, agent, pid, run, reason, labels, args, changes, questions, follows } =
    request
  const head = [
    `approval ${id}: ${syscall} ${resource}`,
    field('agent', `${agent} (pid ${pid}, run ${run})`),
    field('asked', `${seconds(now - request.askedAt)} ago; ${endOf(request, now)}`),
    field('why', reason),
    ...(questions.length > 1
      ? [field('all of', questions.map((each) => `${each.action} ${each.resource}`).join(', '))]
      : []),
    ...(labels.length > 0 ? [field('labels', labels.join(', '))] : []),
    ...(follows === undefined ? [] : [field('instead of', `${follows}, which is no longer so`)]),
    field('arguments', `${args.length} characters, sha256 ${args.sha256}`),
  ]
  return [...head.map(exactLine), ...argumentLines(args), ...changes.flatMap(changeLines)]
}

/** @returns such as `9m12s`: until it is denied, or its process ends */
export const leftOf = ({ expiresAt, endsAt = expiresAt }: ApprovalRequest, now: number): string =>
  seconds(Math.max(0, Math.min(expiresAt, endsAt) - now))

/** @returns how it ends when nobody answers, such as `denied in 9m12s` */
export const endOf = (request: ApprovalRequest, now: number): string =>
  request.endsAt === undefined
    ? `denied in ${leftOf(request, now)}`
    : `its process ends in ${leftOf(request, now)}, when its wall time is used up`

const field = (name: string, text: string): string => `  ${name.padEnd(10)} ${text}`

function argumentLines({ text, cut, length }: ApprovalRequest['args']): readonly string[] {
  const shown = cut ? text : JSON.stringify(JSON.parse(text), null, 2)
  return [
    ...quoted(shown),
    ...(cut ? [`  … ${length - text.length} characters more; the whole is in the evidence`] : []),
  ]
}

function changeLines({ path, before, after, difference, cut }: Change): readonly string[] {
  const line = `  ${path}: ${sideText(before)} → ${after === undefined ? 'not known' : sideText(after)}`
  return [
    exactLine(line),
    ...(difference === undefined ? [] : quoted(difference)),
    ...(cut ? ['  … there is more of the difference'] : []),
  ]
}

function sideText({ type, bytes, sha256, entries }: SideOfChange): string {
  const parts = [
    bytes === undefined ? '' : `${bytes} bytes`,
    entries === undefined ? '' : `${entries} below it`,
    sha256 === undefined ? '' : `sha256 ${sha256}`,
  ]
  return [type === 'absent' ? 'nothing' : type, ...parts].filter(Boolean).join(', ')
}

const quoted = (text: string): readonly string[] => text.split('\n').map((line) => quote + exactLine(line))
