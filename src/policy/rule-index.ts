/** The rules about one action: those that can match are found by agent, place and literal prefix. */

import { limits } from '../limits.ts'
import { type CompiledRule, matchesPrincipal, matchesResource } from './compiled-rule.ts'
import { PrefixTree } from './index-tree.ts'
import type { Reading } from './match.ts'
import { anyHost } from './urls.ts'

/** Rules of one agent, or of agents that a pattern names. */
interface Group {
  /** About any resource. */
  readonly anywhere: CompiledRule[]
  /** By the place where a resource's parts begin: the host of a URL, one and the same for all else. */
  readonly places: Places
  /** The same for hosts that end in a place, by the number of its dots: few ends of a host have to be looked up. */
  readonly ends: Map<number, Places>
}

type Places = Map<string, PrefixTree<CompiledRule>>

const emptyGroup = (): Group => ({ anywhere: [], places: new Map(), ends: new Map() })

export class RuleIndex {
  readonly #general = emptyGroup()
  readonly #own = new Map<string, Group>()
  /** Rules about any resource, by the agent that they apply to: agents are few, and ask again and again. */
  readonly #anywhere = new Map<string, readonly CompiledRule[]>()

  add(rule: CompiledRule): void {
    this.#anywhere.clear()
    const principals = rule.rule.principals ?? ['*']
    const general = principals.some((name) => name.includes('*'))
    const groups = general ? [this.#general] : principals.map((name) => this.#groupOf(name))
    for (const group of groups) {
      if (rule.matchers === undefined) group.anywhere.push(rule)
      for (const { place, prefix } of rule.matchers ?? []) {
        const places = placesFor(group, place)
        const tree = places.get(place) ?? new PrefixTree<CompiledRule>()
        places.set(place, tree)
        tree.add(prefix, rule)
      }
    }
  }

  /**
   * @param readings of a resource, at least one
   * @returns every rule that matches but for its condition, each once, in the order of the policy
   */
  matching(principal: string, readings: readonly Reading[]): readonly CompiledRule[] {
    const found: CompiledRule[] = []
    collect(this.#general, readings, found)
    const own = this.#own.get(principal)
    if (own !== undefined) collect(own, readings, found)
    let kept = 0
    for (const rule of found) {
      if (!matchesPrincipal(rule, principal) || !matchesResource(rule, readings)) continue
      found[kept] = rule
      kept += 1
    }
    found.length = kept
    for (const rule of this.#anywhere.get(principal) ?? this.#anywhereFor(principal)) found.push(rule)
    return found.length < 2 ? found : inOrder(found)
  }

  #anywhereFor(principal: string): readonly CompiledRule[] {
    const rules = [...this.#general.anywhere, ...(this.#own.get(principal)?.anywhere ?? [])]
    const matching = rules.filter((rule) => matchesPrincipal(rule, principal))
    // Agents name their children, as many as they like.
    if (this.#anywhere.size >= limits.indexedPrincipalsMax) this.#anywhere.clear()
    this.#anywhere.set(principal, matching)
    return matching
  }

  #groupOf(name: string): Group {
    const group = this.#own.get(name) ?? emptyGroup()
    this.#own.set(name, group)
    return group
  }
}

function placesFor({ places, ends }: Group, place: string): Places {
  if (!place.startsWith('.')) return places
  const dots = place.split('.').length - 1
  const made = ends.get(dots) ?? new Map<string, PrefixTree<CompiledRule>>()
  ends.set(dots, made)
  return made
}

function collect({ places, ends }: Group, readings: readonly Reading[], found: CompiledRule[]): void {
  for (const reading of readings) {
    const { parts } = reading
    if (reading.kind !== 'url') {
      places.get('')?.find(parts, found)
      continue
    }
    const { host } = reading.url
    if (places.size > 0) {
      places.get(anyHost)?.find(parts, found)
      places.get(host)?.find(parts, found)
    }
    for (const [dots, ofEnd] of ends) {
      const end = endOf(host, dots)
      if (end !== undefined) ofEnd.get(end)?.find(parts, found)
    }
  }
}

/** @returns what a host ends in, from a dot on, with so many dots; undefined where it has fewer */
function endOf(host: string, dots: number): string | undefined {
  let at = host.length
  for (let count = 0; count < dots; count += 1) {
    at = at > 0 ? host.lastIndexOf('.', at - 1) : -1
    if (at < 0) return undefined
  }
  return host.slice(at)
}

/** A rule is found once for each of its patterns and each reading. */
function inOrder(found: CompiledRule[]): readonly CompiledRule[] {
  found.sort((a, b) => a.order - b.order)
  let kept = 0
  for (const rule of found) {
    if (kept > 0 && found[kept - 1] === rule) continue
    found[kept] = rule
    kept += 1
  }
  found.length = kept
  return found
}
