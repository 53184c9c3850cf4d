/** `gatehouse evidence show`: one entry in full, with what belongs to it. */
import type { Entry } from '../evidence/entry.ts'
import type { EvidenceFolder } from '../evidence/read.ts'
import {
  type EntryDetail,
  otherFields,
  payloadKey,
  readDetail,
  type ShownPayload,
} from '../evidence/report/detail.ts'
import { decisionOf, isoTime, type NamedRule, nameOf, payloadsOf, textOf } from '../evidence/report/fields.ts'
import { outcomeOf, whatOf } from '../evidence/report/timeline.ts'
import { readEntry } from '../evidence/verify.ts'
import { limits } from '../limits.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, NotOnRecord, reading, readingCodes } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { entryNumber } from './options.ts'
import { exactLine } from './terminal.ts'

export const evidenceShow: CommandSpec = {
  name: 'show',
  args: '<entry> [dir]',
  summary: `show one entry of the record in DIR (default: .gatehouse) in full. ${readingCodes}`,
  examples: [
    ['gatehouse evidence show 12', 'its decision, arguments and result, who approved it, how it ended'],
    ['gatehouse evidence show 12 --json', 'with every text whole, for a program'],
  ],
  run(out, command) {
    const seq = entryNumber(command.args[0] ?? '')
    const dir = dirOf(command, 1)
    return reading(out, dir, (evidence) => {
      const detail = readDetail(evidence, seq)
      if (detail === undefined) throw new NotOnRecord(noEntry(evidence, seq))
      for (const line of detailLines(detail)) out.say(line)
      out.give(document(dir, detail))
      return exitCodes.done
    })
  },
}

function noEntry(evidence: EvidenceFolder, seq: number): string {
  let newest = ''
  for (const line of evidence.lines()) newest = line
  const last = newest === '' ? undefined : readEntry(newest).entry?.seq
  const there = last === undefined ? 'the record is empty, or its end is broken' : `there are 0 to ${last}`
  return `entry ${seq} is not on record; ${there}`
}

function document(dir: string, { entry, related, payloads }: EntryDetail): object {
  const of = (each: Entry): object =>
    Object.fromEntries(payloadsOf(each).map(([field]) => [field, payloads.get(payloadKey(each, field))]))
  const entries = Object.entries(related).map(([name, each]) => [name, { entry: each, payloads: of(each) }])
  return { dir, entry, payloads: of(entry), related: Object.fromEntries(entries) }
}

/** @returns lines that are fit for a terminal: nothing that an agent wrote can pass for one of ours */
function detailLines(detail: EntryDetail): readonly string[] {
  const { entry, related } = detail
  const { call } = related
  return [
    exactLine(titleOf(entry)),
    exactLine(field('time', isoTime(entry.time))),
    ...processLines(detail),
    ...(entry.syscall === undefined ? [] : [exactLine(field('call', cut(calledText(entry))))]),
    ...decisionLines(entry),
    ...otherFields(entry).map(([name, text]) => exactLine(field(name, cut(text)))),
    ...relatedLines(detail),
    ...payloadLines(detail, entry),
    ...[call, related.answer, related.outcome].flatMap((each) =>
      each === undefined ? [] : payloadLines(detail, each, ` of entry ${each.seq}`),
    ),
  ]
}

const titleOf = (entry: Entry): string =>
  [`entry ${entry.seq}: ${entry.kind}`, ...(whatOf(entry) === entry.kind ? [] : [whatOf(entry)])].join(', ')

const calledText = (entry: Entry): string => `${textOf(entry.syscall)} ${textOf(entry.resource)}`.trimEnd()

function processLines({ entry, related }: EntryDetail): readonly string[] {
  const { run, pid } = entry
  if (run === undefined || pid === undefined) return []
  const { agent, isolation } = { ...related.spawn, ...entry }
  const call = entry.call === undefined ? [] : [`call ${textOf(entry.call)}`]
  const whose = [`${textOf(agent)} (pid ${pid}, run ${run})`, textOf(isolation), ...call]
  return [exactLine(field('agent', whose.filter(Boolean).join(', ')))]
}

function decisionLines(entry: Entry): readonly string[] {
  const decision = decisionOf(entry)
  if (decision === undefined) return []
  const { effect, rules, policy, observed } = decision
  const under = policy === '' ? [] : [field('policy', policy)]
  const seen =
    observed === undefined ? [] : [field('observed', `${observed.effect}${rulesText(observed.rules)}`)]
  return [field('decision', `${effect}${rulesText(rules)}`), ...seen, ...under].map(exactLine)
}

const rulesText = (rules: readonly NamedRule[]): string =>
  rules.length === 0
    ? ''
    : ` by ${rules.map((rule) => `${nameOf(rule)}${rule.line === undefined ? '' : ` (line ${rule.line})`}`).join(', ')}`

/** What belongs to the entry, one line each; an end that is not there is said. */
function relatedLines({ entry, related }: EntryDetail): readonly string[] {
  const { ask, answer, call, outcome, declassify } = related
  const asked = entry.kind === 'ask' ? entry : ask
  const lines = [
    ...(ask === undefined ? [] : [field('asked', `in entry ${ask.seq}, approval ${textOf(ask.id)}`)]),
    ...(answer === undefined ? [] : [field('answer', `in entry ${answer.seq}: ${outcomeOf(answer)}`)]),
    ...(asked !== undefined && answer === undefined && entry.kind !== 'answer'
      ? [field('answer', 'none is on record')]
      : []),
    ...(call === undefined ? [] : [field('call', callText(call))]),
    ...(outcome === undefined ? [] : [field('outcome', outcomeText(outcome, call ?? entry))]),
    ...(entry.kind === 'intent' && outcome === undefined
      ? [field('outcome', 'unsettled: whether it took effect is not on record')]
      : []),
    ...(declassify === undefined
      ? []
      : [field('released', `in entry ${declassify.seq}: ${outcomeOf(declassify)}`)]),
  ]
  return lines.map(exactLine)
}

const callText = (call: Entry): string =>
  [
    `in entry ${call.seq}: ${cut(calledText(call))}`,
    decisionText(call),
    call.kind === 'refusal' ? outcomeOf(call) : '',
  ]
    .filter(Boolean)
    .join(', ')

function decisionText(entry: Entry): string {
  const decision = decisionOf(entry)
  return decision === undefined ? '' : `${decision.effect}${rulesText(decision.rules)}`
}

const outcomeText = (outcome: Entry, call: Entry): string =>
  [
    `in entry ${outcome.seq}: ${outcomeOf(outcome)}`,
    textOf(outcome.reason),
    `after ${Math.round(outcome.time - call.time)} ms`,
  ]
    .filter(Boolean)
    .join(', ')

function payloadLines({ payloads }: EntryDetail, entry: Entry, of = ''): readonly string[] {
  return payloadsOf(entry).flatMap(([name]) => {
    const payload = payloads.get(payloadKey(entry, name))
    if (payload === undefined) return []
    return [exactLine(`  ${name}${of}: ${stateText(payload)}`), ...textLines(payload)]
  })
}

const stateText = ({ bytes, hash, state }: ShownPayload): string =>
  `${bytes} bytes, ${
    {
      kept: `salted SHA-256 ${hash}`,
      digest: `of which only the salted SHA-256 ${hash} was kept`,
      deleted: `deleted since; its salted SHA-256 is ${hash}`,
    }[state]
  }`

/** Before every line that an agent or a file could have written. */
const quote = '  | '

function textLines({ text }: ShownPayload): readonly string[] {
  if (text === undefined) return []
  const more = text.length - limits.payloadShownMax
  const shown = more > 0 ? text.slice(0, limits.payloadShownMax).toWellFormed() : indented(text)
  return [
    ...shown.split('\n').map((line) => quote + exactLine(line)),
    ...(more > 0 ? [`  … ${more} characters more; --json has all`] : []),
  ]
}

/** JSON is laid out; other texts, such as programs, are as they are. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

const field = (name: string, text: string): string => `  ${name.padEnd(9)} ${text}`

const cut = (text: string): string =>
  text.length <= limits.resourceShownMax
    ? text
    : `${text.slice(0, limits.resourceShownMax).toWellFormed()}… (--json has all)`
