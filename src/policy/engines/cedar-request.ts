/** A request as Cedar reads it: who, what, on what, and the rest as context. */
import type { Json, JsonObject } from '../../json.ts'
import { type Action, argumentsOf, expandAction, isAction } from '../actions.ts'
import type { ArgumentType } from '../arguments.ts'
import type { Reading } from '../match.ts'
import type { Request } from '../types.ts'
import type { UrlReading } from '../urls.ts'
import { Unjudged } from './judge.ts'
import { Size } from './question.ts'

interface EntityRef {
  readonly type: string
  readonly id: string
}

interface Entity {
  readonly uid: EntityRef
  readonly attrs: JsonObject
  readonly parents: readonly EntityRef[]
}

/** One question, as `statefulIsAuthorized` takes it. */
export interface CedarQuestion {
  readonly principal: EntityRef
  readonly action: EntityRef
  readonly resource: EntityRef
  readonly context: JsonObject
  readonly entities: readonly Entity[]
}

/** What a policy may name: `Agent` also of `proc.*`, `Peer` an agent or a topic of `ipc.*`. */
export const entityTypes = [
  'Action',
  'Agent',
  'Host',
  'Model',
  'Origin',
  'Path',
  'Peer',
  'Provider',
  'Tool',
  'Url',
]

/** Actions, and the groups that they are in: `fs` holds `fs.read`. */
export const actionIds: ReadonlySet<string> = new Set([
  ...expandAction('*'),
  ...expandAction('*').map((action) => familyOf(action)),
])

/** @throws Unjudged where the call holds what Cedar has no value for, or is too large */
export function cedarQuestion(request: Request, reading: Reading): CedarQuestion {
  const { principal, action, isolation, labels = [], args, budget } = request
  if (!isAction(action)) throw new Unjudged('the action is unknown')
  const size = new Size()
  size.add([principal, [...labels], args])
  const agent: Entity = { uid: { type: 'Agent', id: principal }, attrs: { name: principal }, parents: [] }
  const resource = resourceOf(action, reading)
  // Each parent of a long path is nearly as long.
  size.add([resource.attrs, resource.parents.map(({ id }) => id)])
  const same = resource.uid.type === 'Agent' && resource.uid.id === principal
  const type = action === 'tool.call' ? request.argumentType : argumentsOf(action)
  return {
    principal: agent.uid,
    action: { type: 'Action', id: action },
    resource: resource.uid,
    context: {
      args: cedarValue(args, type, 'args'),
      labels,
      isolation,
      budget: budgetOf(budget?.() ?? {}),
    },
    entities: [actionEntities.get(action), agent, same ? undefined : resource].filter(
      (it) => it !== undefined,
    ),
  }
}

/** What is left, rounded down: whole, and dollars with the places that a decimal has. */
function budgetOf({ costUsd, ...whole }: ReturnType<NonNullable<Request['budget']>>): JsonObject {
  const amounts = Object.entries(whole).map(([key, left]): [string, Json] => [key, Math.floor(left)])
  const scale = 10 ** placesMax
  const cost = costUsd === undefined ? undefined : Math.floor(costUsd * scale) / scale
  return {
    ...Object.fromEntries(amounts),
    ...(cost !== undefined && { costUsd: numberOf(cost, 'double', 'budget.costUsd') }),
  }
}

const actionEntities: ReadonlyMap<Action, Entity> = new Map(
  expandAction('*').map((action) => [
    action,
    { uid: { type: 'Action', id: action }, attrs: {}, parents: [{ type: 'Action', id: familyOf(action) }] },
  ]),
)

function familyOf(action: Action): string {
  return action.slice(0, action.indexOf('.'))
}

function resourceOf(action: Action, reading: Reading): Entity {
  if (reading.kind === 'path') return pathEntity(reading.parts)
  if (reading.kind === 'url') return urlEntity(reading.url)
  const { name } = reading
  switch (familyOf(action)) {
    case 'tool':
      return { uid: { type: 'Tool', id: name }, attrs: { name }, parents: [] }
    case 'llm': {
      const [provider = ''] = name.split('/')
      return {
        uid: { type: 'Model', id: name },
        attrs: { name },
        parents: [{ type: 'Provider', id: provider }],
      }
    }
    case 'ipc':
      return { uid: { type: 'Peer', id: name }, attrs: { name }, parents: [] }
    default:
      return { uid: { type: 'Agent', id: name }, attrs: { name }, parents: [] }
  }
}

/** In each folder above it, so that `resource in Path::"/mem"` is all below /mem, and /mem itself. */
function pathEntity(parts: readonly string[]): Entity {
  const path = `/${parts.join('/')}`
  const parents = parts.map((_, index) => ({ type: 'Path', id: `/${parts.slice(0, index).join('/')}` }))
  return { uid: { type: 'Path', id: path }, attrs: { path, name: parts.at(-1) ?? '' }, parents }
}

/** In its origin, its host and every domain above the host. */
function urlEntity({ scheme, host, port, parts, query }: UrlReading): Entity {
  const standard = port === (scheme === 'https' ? '443' : '80')
  const origin = `${scheme}://${host}${standard ? '' : `:${port}`}`
  const path = `/${parts.join('/')}`
  const url = `${origin}${path}${query === '' ? '' : `?${query}`}`
  const hosts = [host]
  if (!isAddress(host))
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1))
      hosts.push(host.slice(dot + 1))
  return {
    uid: { type: 'Url', id: url },
    attrs: { url, scheme, host, port: Number(port), path, query },
    parents: [{ type: 'Origin', id: origin }, ...hosts.map((id) => ({ type: 'Host', id }))],
  }
}

const isAddress = (host: string): boolean => /^[\d.]+$|^\[/.test(host)

/** By these keys Cedar's JSON means an entity, a function, and, long ago, an expression. */
const escapes = ['__entity', '__extn', '__expr']

/**
 * @param type as it is declared, which says whether a number is whole; unknown, the number itself says
 * @param path for messages
 * @throws Unjudged for null, numbers that are not exact, and keys that mean something to Cedar
 */
function cedarValue(value: Json, type: ArgumentType | undefined, path: string): Json {
  if (value === null) throw new Unjudged(`\`${path}\` is null, and Cedar has no such value`)
  if (typeof value === 'number') return numberOf(value, type, path)
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) {
    const items = typeof type === 'object' && 'list' in type ? type.list : undefined
    return value.map((item: Json, index) => cedarValue(item, items, `${path}[${index}]`))
  }
  const fields = Object.entries(value).map(([key, item]): [string, Json] => {
    if (escapes.includes(key))
      throw new Unjudged(`\`${path}\` holds the key \`${key}\`, which Cedar keeps for itself`)
    return [key, cedarValue(item, fieldType(type, key), `${path}.${key}`)]
  })
  return Object.fromEntries(fields)
}

function fieldType(type: ArgumentType | undefined, key: string): ArgumentType | undefined {
  if (typeof type !== 'object') return undefined
  if ('map' in type) return type.map
  return 'fields' in type && Object.hasOwn(type.fields, key) ? type.fields[key] : undefined
}

/** Places that Cedar's decimals have. */
const placesMax = 4
/** Up to here a double has all of them. */
const decimalMax = 2 ** 53 / 10 ** placesMax

function numberOf(value: number, type: ArgumentType | undefined, path: string): Json {
  const whole = Number.isInteger(value)
  if (whole && !Number.isSafeInteger(value))
    throw new Unjudged(`\`${path}\` is past 2^53, where whole numbers are not exact`)
  if (whole && type !== 'double') return value
  const text = value.toFixed(placesMax)
  if (Number(text) !== value || Math.abs(value) > decimalMax)
    throw new Unjudged(
      `\`${path}\` does not fit Cedar's decimals, which have ${placesMax} places and end at some 900 thousand million`,
    )
  return { __extn: { fn: 'decimal', arg: text } }
}
