/** What a rule's patterns are compared with, by the kind of resource that the action has. */
import { limits } from '../limits.ts'
import { type Action, actions, type ResourceKind } from './actions.ts'
import { assertPattern, compileText, invalid } from './glob.ts'
import { type Prefix, prefixOf } from './index-tree.ts'
import { compilePath, pathParts, readPath } from './paths.ts'
import { compileUrl, readUrl, type UrlPart, type UrlReading } from './urls.ts'

/** One way to read a resource. What can be read in two ways is judged in both. */
export type Reading =
  | { readonly kind: 'path'; readonly parts: readonly string[] }
  | { readonly kind: 'url'; readonly url: UrlReading; readonly parts: readonly string[] }
  | { readonly kind: 'name'; readonly name: string; readonly parts: readonly string[] }

/** What a pattern does not agree with: the part of a URL, the path, or the name. */
export type Mismatch = UrlPart | 'name'

export interface Matcher {
  /** As the rule has it. */
  readonly pattern: string
  /** Where its parts begin: for URLs the host, as `UrlMatcher` has it. */
  readonly place: string
  /** Every resource there that matches begins so. */
  readonly prefix: Prefix
  mismatch(reading: Reading): Mismatch | undefined
}

/**
 * @param action what the call does
 * @param resource what it does it to
 * @returns every way to read it, at least one; or what keeps it from being judged, as a clause
 */
export function readResource(action: Action, resource: string): readonly Reading[] | string {
  if (resource.length > limits.urlMax) return `the resource is longer than ${limits.urlMax} characters`
  const kind = actions[action].resource
  if (kind === 'name')
    return resource === '' ? 'the resource has no name' : [{ kind, name: resource, parts: [resource] }]
  if (kind === 'path') {
    const paths = readPath(resource)
    return typeof paths === 'string' ? paths : paths.map((parts) => ({ kind, parts }))
  }
  const urls = readUrl(resource)
  return typeof urls === 'string' ? urls : urls.map((url) => ({ kind, url, parts: url.parts }))
}

/**
 * @param kind what the rule's actions act on
 * @param pattern a path, a URL or a name with wildcards
 * @throws KernelError EINVAL with what is wrong and what to write
 */
export function compileMatcher(kind: ResourceKind, pattern: string): Matcher {
  switch (kind) {
    case 'path': {
      const matches = compilePath(pattern)
      const prefix = prefixOf(pathParts(pattern))
      return {
        pattern,
        place: '',
        prefix,
        mismatch: (it) => (it.kind === 'path' && matches(it.parts) ? undefined : 'path'),
      }
    }
    case 'url': {
      const { mismatch, place, prefix } = compileUrl(pattern)
      return { pattern, place, prefix, mismatch: (it) => (it.kind === 'url' ? mismatch(it.url) : 'scheme') }
    }
    case 'name': {
      const matches = compileName(pattern)
      const prefix = prefixOf([pattern])
      return {
        pattern,
        place: '',
        prefix,
        mismatch: (it) => (it.kind === 'name' && matches(it.name) ? undefined : 'name'),
      }
    }
  }
}

/**
 * Tools, agents, topics, models and principals: `*` is any run of characters, a slash too; letter case counts.
 * @throws KernelError EINVAL
 */
export function compileName(pattern: string): (name: string) => boolean {
  assertPattern(pattern)
  if (pattern.includes('**'))
    throw invalid(`\`${pattern}\` is a name; there \`*\` alone is any run of characters`)
  return compileText(pattern)
}
