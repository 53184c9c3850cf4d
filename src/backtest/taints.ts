/** Files and mailboxes that would carry other labels than on record. */
import { joinLabels, type Labels, noLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import type { Change } from './flow.ts'
import type { Rebuilt } from './rebuilt.ts'

const nothing: Change = Object.freeze({ sure: noLabels, maybe: noLabels })
const all = ({ sure, maybe }: Change): Labels => joinLabels(sure, maybe)

export class Taints {
  readonly #files = new Map<string, Change & { readonly epoch: number }>()
  /** By folder: of all that lies below it. */
  readonly #below = new Map<string, Labels>()
  readonly #mailboxes = new Map<string, Labels>()
  /** Goes on when somebody has changed files whose act is not followed. */
  #epoch = 0
  /** Of files that are too many to be told apart. */
  #anywhere: Labels = noLabels

  loosen(): void {
    this.#epoch += 1
  }

  /** What a file would carry in any case, where the last who wrote it is known. */
  read(process: Rebuilt, path: string): Change {
    const own = this.#files.get(placeOf(process, path))
    const sure = own?.epoch === this.#epoch ? own.sure : noLabels
    return { sure, maybe: this.around(process, path) }
  }

  /** What may stand at a path, above it, below it or beside it. */
  around(process: Rebuilt, path: string): Labels {
    if (this.#files.size === 0) return this.#anywhere
    const place = placeOf(process, path)
    let labels = joinLabels(this.#anywhere, this.#below.get(folderOf(place)) ?? noLabels)
    for (let at = place; at !== ''; at = folderOf(at))
      labels = joinLabels(labels, all(this.#files.get(at) ?? nothing))
    return labels
  }

  /** What is written in place of something else may carry what that did: it is not told whether it was another's. */
  write(process: Rebuilt, path: string, { sure, maybe }: Change): void {
    const before = this.#files.get(placeOf(process, path))
    const kept = before === undefined ? maybe : joinLabels(maybe, all(before))
    this.#add(placeOf(process, path), { sure, maybe: kept })
  }

  /** A name is there, or is not there any more. */
  name(process: Rebuilt, path: string, change: Change): void {
    const before = this.#files.get(placeOf(process, path)) ?? nothing
    this.#add(placeOf(process, path), { sure: noLabels, maybe: joinLabels(all(before), all(change)) })
  }

  /** @param paths as a move has them on record; a path can hold the arrow, so each part counts as the source too */
  move(process: Rebuilt, paths: string, change: Change): void {
    const parts = paths.split(' → ')
    const moved = parts.map((path) => joinLabels(this.#belowOf(process, path), this.around(process, path)))
    const maybe = [all(change), ...moved].reduce(joinLabels)
    for (const path of [...parts, paths]) this.name(process, path, { sure: noLabels, maybe })
  }

  send(to: string, labels: Labels): void {
    if (labels.length > 0) this.#mailboxes.set(to, joinLabels(this.mailbox(to), labels))
  }

  mailbox(agent: string): Labels {
    return this.#mailboxes.get(agent) ?? noLabels
  }

  #belowOf(process: Rebuilt, path: string): Labels {
    return this.#below.get(placeOf(process, path)) ?? noLabels
  }

  #add(place: string, change: Change): void {
    const labels = all(change)
    if (labels.length === 0) return
    if (this.#files.size + this.#below.size >= limits.backtestPathsMax) {
      this.#anywhere = joinLabels(this.#anywhere, labels)
      return
    }
    this.#files.set(place, { ...change, epoch: this.#epoch })
    for (let at = folderOf(place); at !== ''; at = folderOf(at))
      this.#below.set(at, joinLabels(this.#below.get(at) ?? noLabels, labels))
  }
}

/** `/tmp` is the process's alone, `/mem` and `/state` belong to its name, and mounts are the same for all. */
function placeOf({ identity, name }: Rebuilt, path: string): string {
  if (/^\/tmp(\/|$)/.test(path)) return `${identity.run} ${identity.pid}${path}`
  return /^\/(mem|state)(\/|$)/.test(path) ? `${name}${path}` : ` ${path}`
}

const folderOf = (place: string): string => place.slice(0, Math.max(0, place.lastIndexOf('/')))
