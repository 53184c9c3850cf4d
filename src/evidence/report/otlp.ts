/** Spans as OTLP/JSON (opentelemetry-proto 1.x, JSON Protobuf encoding): one line is one TracesData. */
import type { Attributes, AttributeValue } from './span-fields.ts'
import type { Span } from './spans.ts'

/** Of the semantic conventions whose names are used. */
const schemaUrl = 'https://opentelemetry.io/schemas/1.37.0'

/** In the protocol's own numbers. */
const kinds = Object.freeze({ internal: 1, client: 3 })
const statusError = 2

/** @param version of gatehouse */
export function tracesData(spans: readonly Span[], version: string): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'gatehouse' }) },
        scopeSpans: [{ scope: { name: 'gatehouse', version }, spans: spans.map(spanOf), schemaUrl }],
        schemaUrl,
      },
    ],
  }
}

function spanOf(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: span.isClient ? kinds.client : kinds.internal,
    startTimeUnixNano: nanosOf(span.start),
    endTimeUnixNano: nanosOf(span.end),
    attributes: attributesOf(span.attributes),
    ...(span.events.length > 0 && {
      events: span.events.map(({ name, time, attributes }) => ({
        timeUnixNano: nanosOf(time),
        name,
        attributes: attributesOf(attributes),
      })),
    }),
    status: span.failure === undefined ? {} : { code: statusError, message: span.failure },
  }
}

/** Fixed64 travels as a decimal text. A record that was tampered with may hold any number as a time. */
const nanosOf = (ms: number): string =>
  Number.isSafeInteger(Math.trunc(ms)) && ms >= 0 ? String(BigInt(Math.trunc(ms)) * 1_000_000n) : '0'

const attributesOf = (attributes: Attributes): readonly object[] =>
  Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [{ key, value: anyValue(value) }],
  )

/** Int64 travels as a decimal text too. */
function anyValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if ('real' in value) return { doubleValue: value.real }
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } }
}
