/** Rego compiled to WebAssembly by `opa build -t wasm`, asked as one member of a set of policies. */
import type { JsonObject } from '../../json.ts'
import { limits } from '../../limits.ts'
import type { Reading } from '../match.ts'
import { identifierPattern } from '../schema.ts'
import { type Effect, effects, type Request } from '../types.ts'
import { type EngineAnswer, foreignRule } from './engine.ts'
import { Unjudged } from './judge.ts'
import { Size } from './question.ts'

/** What we use of a policy that `@open-policy-agent/opa-wasm` loaded. */
export interface RegoModule {
  readonly entrypoints: unknown
  evaluate(input: JsonObject, entrypoint: string): unknown
}

/**
 * @param entrypoint as `opa build -e` had it, such as `gatehouse/decision`
 * @param line where the document names the module
 */
export function askRego(
  module: RegoModule,
  entrypoint: string,
  line: number,
  request: Request,
  reading: Reading,
): EngineAnswer {
  const results = module.evaluate(inputOf(request, reading), entrypoint)
  if (!Array.isArray(results)) throw new Unjudged('its answer has a form that we do not know')
  if (results.length === 0) throw new Unjudged(`\`${entrypoint}\` is undefined for it`)
  const value: unknown = results.length === 1 ? get(results[0], 'result') : undefined
  return readAnswer(value, entrypoint, line)
}

/** What a Rego policy finds under `input`: the request, and the parts of its resource. */
export function inputOf(request: Request, reading: Reading): JsonObject {
  const { principal, action, isolation, labels = [], args, budget } = request
  const size = new Size()
  const { resource, ...parts } = resourceOf(reading)
  size.add([principal, resource, [...labels], args])
  return { principal, action, resource, ...parts, isolation, labels, args, budget: { ...budget?.() } }
}

function resourceOf(reading: Reading): JsonObject & { readonly resource: string } {
  if (reading.kind === 'name') return { resource: reading.name }
  if (reading.kind === 'path') return { resource: `/${reading.parts.join('/')}`, path: reading.parts }
  const { scheme, host, port, parts, query } = reading.url
  const standard = port === (scheme === 'https' ? '443' : '80')
  const path = `/${parts.join('/')}`
  const resource = `${scheme}://${host}${standard ? '' : `:${port}`}${path}${query === '' ? '' : `?${query}`}`
  return { resource, url: { scheme, host, port: Number(port), path, query } }
}

const keys = ['effect', 'rules', 'reason']

/** @throws Unjudged for all but a boolean or `{ effect, rules, reason }` */
function readAnswer(value: unknown, entrypoint: string, line: number): EngineAnswer {
  const own = entrypoint.replaceAll('/', '.')
  if (value === true) return { effect: 'permit', rules: [foreignRule(own, line, 'permit')] }
  if (value === false) return { effect: 'forbid', rules: [foreignRule(own, line, 'forbid')] }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Unjudged(`\`${entrypoint}\` gives neither true, false nor an object with an effect`)
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined)
    throw new Unjudged(
      `\`${entrypoint}\` gives the unknown key \`${unknown.slice(0, limits.engineReasonMax)}\``,
    )
  const effect = effects.find((each) => each === get(value, 'effect'))
  if (effect === undefined)
    throw new Unjudged(`\`${entrypoint}\` gives no effect; it is one of ${effects.join(', ')}`)
  const why = get(value, 'reason')
  if (why !== undefined && typeof why !== 'string')
    throw new Unjudged(`\`${entrypoint}\` gives a reason that is no text`)
  return { effect, rules: rulesOf(get(value, 'rules') ?? [], effect, own, line), why }
}

function rulesOf(ids: unknown, effect: Effect, own: string, line: number): EngineAnswer['rules'] {
  const name = new RegExp(identifierPattern)
  if (!Array.isArray(ids) || ids.length > limits.engineRulesMax)
    throw new Unjudged(`\`rules\` is no list of at most ${limits.engineRulesMax} names`)
  const names: readonly unknown[] = ids.length === 0 ? [own] : ids
  return names.map((id) => {
    if (id !== own && (typeof id !== 'string' || !name.test(id)))
      throw new Unjudged('`rules` holds what is no name')
    return foreignRule(String(id), line, effect)
  })
}

const get = (value: unknown, key: string): unknown =>
  value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined
