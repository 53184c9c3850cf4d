/** Names become addresses by the system's resolver, a few at a time, so that slow names cannot starve file access. */
import { lookup } from 'node:dns/promises'
import { limits } from '../../limits.ts'

/** Gives all addresses of a name; fails as `dns.lookup` does. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>

export const systemLookup: Lookup = (host) => lookup(host, { all: true, order: 'verbatim' })

export class Resolver {
  readonly #lookup: Lookup
  readonly #waiting: (() => void)[] = []
  #busy = 0

  constructor(lookup: Lookup) {
    this.#lookup = lookup
  }

  /**
   * @param host a name, not an address
   * @returns its addresses in the resolver's order, each once
   * @throws the resolver's error, or the signal's reason
   */
  async addresses(host: string, signal: AbortSignal): Promise<readonly string[]> {
    while (this.#busy >= limits.lookupsAtOnceMax) {
      await abortable(new Promise<void>((wake) => this.#waiting.push(wake)), signal)
    }
    this.#busy += 1
    // A lookup cannot be called back: its place is free when it is over, not when the caller has left.
    const answer = this.#lookup(host).finally(() => this.#release())
    const found = await abortable(answer, signal)
    return [...new Set(found.map(({ address }) => address))]
  }

  /** Wakes all, since one of those that wait may have left; who finds no place waits again. */
  #release(): void {
    this.#busy -= 1
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
