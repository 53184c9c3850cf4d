/** The plainest call of an action on a resource: what is asked where nobody says more. */
import type { Json, JsonObject } from '../json.ts'
import { type Action, actions } from './actions.ts'

/**
 * @param given what the call holds besides; it counts before what follows from the resource
 * @returns arguments for conditions; those that follow from a URL are left out where it is none
 */
export function plainArguments(action: Action, resource: string, given: Json = {}): Json {
  const { resource: kind } = actions[action]
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return given
  if (kind === 'path') return { path: resource, ...given }
  if (kind === 'url') return { ...ofUrl(resource), ...given }
  return given
}

function ofUrl(resource: string): JsonObject {
  const url = URL.parse(resource)
  if (url === null) return {}
  const { protocol, hostname, pathname, port } = url
  const standard = protocol === 'https:' ? 443 : 80
  return {
    method: 'GET',
    scheme: protocol.slice(0, -1),
    host: hostname,
    port: port === '' ? standard : Number(port),
    path: pathname,
    headers: [],
    bodyBytes: 0,
    secrets: [],
  }
}
