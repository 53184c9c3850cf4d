/** A run as a trace: one span for each process and call, with ids that follow from the record alone. */
import { expect, test } from 'vitest'
import type { Entry } from '../../../src/evidence/entry.ts'
import { tracesData } from '../../../src/evidence/report/otlp.ts'
import { type Span, Spans } from '../../../src/evidence/report/spans.ts'
import { entryOf, recordRuns } from './support.ts'

const {
  entries,
  runs: [run, second],
} = await recordRuns()

function spansOf(id: string, of: readonly Entry[] = entries): readonly Span[] {
  const spans = new Spans(id)
  return [...of.filter((entry) => entry.run === id).flatMap((entry) => spans.add(entry)), ...spans.end()]
}

const named = (name: string, spans = spansOf(run)): Span => {
  const found = spans.find((span) => span.name === name)
  if (found === undefined) throw new Error(`no span ${name}`)
  return found
}

test('each process and each call is one span of one trace, below the process that did it', () => {
  const spans = spansOf(run)
  const own = entries.filter((entry) => entry.run === run)
  const begun = own.filter(({ kind }) => kind === 'spawn' || kind === 'intent' || kind === 'refusal')
  expect(spans).toHaveLength(begun.length)
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
  for (const { traceId, spanId } of spans) {
    expect(traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(spanId).toMatch(/^[0-9a-f]{16}$/)
  }
  const root = named('invoke_agent writer')
  expect(root.parentSpanId).toBeUndefined()
  expect(named('invoke_agent helper').parentSpanId).toBe(root.spanId)
  expect(named('fs.list').parentSpanId).toBe(named('invoke_agent helper').spanId)
  expect(named('fs.write').parentSpanId).toBe(root.spanId)
  expect(spansOf(second)[0]?.traceId).not.toBe(root.traceId)
})

test('an export repeats byte for byte', () => {
  const text = (): string => JSON.stringify(tracesData(spansOf(run), '1'))
  expect(text()).toBe(text())
})

test('a tool has the names of the GenAI conventions, and a call begins with the question about it', () => {
  const mail = named('execute_tool send_email')
  expect(mail.attributes).toMatchObject({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'send_email',
    'gatehouse.decision': 'ask',
    'gatehouse.rules': ['test:mail'],
    'gatehouse.outcome': 'committed',
  })
  expect(mail.start).toBe(entryOf(entries, 'ask').time)
  expect(mail.events).toMatchObject([
    { name: 'gatehouse.ask' },
    { name: 'gatehouse.answer', attributes: { 'gatehouse.approval.by': 'alice' } },
  ])
  expect(named('invoke_agent writer').attributes).toMatchObject({
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': 'writer',
  })
})

test('a refusal and a failed process are errors, and what went well has no status', () => {
  const refused = spansOf(run).find(({ attributes }) => attributes['gatehouse.resource'] === '/mem/vault/key')
  expect(refused).toMatchObject({ attributes: { 'error.type': 'EPERM', 'gatehouse.outcome': 'refused' } })
  expect(named('invoke_agent unlucky', spansOf(second))).toMatchObject({
    failure: 'Error: no luck',
    attributes: { 'error.type': 'EFAULT', 'gatehouse.exit.status': 'failed' },
  })
  expect(named('fs.write').failure).toBeUndefined()
})

test('texts are named and not given, so that whoever exports decides', () => {
  const { hash } = entryOf(entries, 'intent', { syscall: 'fs.write' }).args as { hash: string }
  expect(named('fs.write').payloads).toMatchObject({ 'gatehouse.args': hash })
  expect(Object.keys(named('execute_tool count').payloads)).toEqual([
    'gen_ai.tool.call.arguments',
    'gen_ai.tool.call.result',
  ])
  expect(JSON.stringify(tracesData(spansOf(run), '1'))).not.toContain('from elsewhere')
})

test('what has no end on record ends with the newest entry, and says so', () => {
  const cut = entries.slice(0, entries.indexOf(entryOf(entries, 'intent')) + 1)
  const last = cut.at(-1)?.time
  expect(spansOf(run, cut)).toMatchObject([
    { name: 'fs.write', end: last, attributes: { 'gatehouse.outcome': 'unsettled' } },
    { name: 'invoke_agent writer', end: last, attributes: { 'gatehouse.exit.status': 'running' } },
  ])
})

test('a server is named where a call asks one', () => {
  const fetched = { v: 1, seq: 1, prev: '', time: 5, run: 'r', pid: 1, kind: 'refusal', syscall: 'net.fetch' }
  const [span] = spansOf('r', [{ ...fetched, resource: 'https://example.com:8443/a?b=c' } as Entry])
  expect(span).toMatchObject({
    isClient: true,
    attributes: {
      'server.address': 'example.com',
      'server.port': 8443,
      'url.scheme': 'https',
      'url.path': '/a',
    },
  })
})

test('numbers and times have the form of OTLP/JSON: 64-bit integers are decimal texts', () => {
  const span: Span = {
    ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: 'c'.repeat(16), name: 'n' },
    ...{ isClient: true, start: 1_700_000_000_123.9, end: Number.NaN },
    attributes: { text: 'x', whole: 2 ** 40, real: { real: 2 }, list: ['a', 'b'], none: undefined },
    ...{ events: [], failure: 'broken', payloads: {} },
  }
  expect(tracesData([span], '1')).toMatchObject({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              {
                kind: 3,
                startTimeUnixNano: '1700000000123000000',
                endTimeUnixNano: '0',
                status: { code: 2, message: 'broken' },
                attributes: [
                  { key: 'text', value: { stringValue: 'x' } },
                  { key: 'whole', value: { intValue: '1099511627776' } },
                  { key: 'real', value: { doubleValue: 2 } },
                  {
                    key: 'list',
                    value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } },
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  })
})
