/** Guests as isolates of the application's own process: the cheapest call, for code that will not try to crash V8. */
import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../limits.ts'
import { exitBesideIsolates } from './exit.ts'
import { attachInline } from './freezer.ts'
import type { Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from './guest.ts'
import { IsolateGuest } from './isolate.ts'

export class InlineSpace implements UserSpace {
  /** Guests that are not over. */
  readonly #guests = new Set<Guest>()
  /** Ends that are under way. */
  readonly #ends = new Set<Promise<void>>()

  start(_tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest {
    exitBesideIsolates()
    let isBroken = false
    const end = (): Promise<void> => {
      this.#guests.delete(guest)
      const ended = guest.end()
      // One that broke V8 never ends.
      if (!isBroken) this.#track(ended)
      return ended
    }
    const guest: Guest = new IsolateGuest(
      spec,
      events,
      // V8 cannot dispose such an isolate any more: the process ends as failed, its memory stays until the application ends.
      () => {
        isBroken = true
        events.fault({
          code: 'ENOMEM',
          reason:
            'agent code broke V8 by running out of memory; in `inline` isolation the application should be restarted',
        })
      },
      attachInline,
    )
    this.#guests.add(guest)
    return {
      deliver: (time, batch, limit) => guest.deliver(time, batch, limit),
      freeze: () => guest.freeze(),
      thaw: () => guest.thaw(),
      end,
    }
  }

  /** Ends every guest, and waits for them as long as a builtin may take that V8 can interrupt. */
  async close(): Promise<void> {
    for (const guest of this.#guests) this.#track(guest.end())
    this.#guests.clear()
    const patience = new AbortController()
    const late = sleep(limits.inlineEndMs, undefined, { signal: patience.signal }).catch(() => {})
    await Promise.race([Promise.all(this.#ends), late])
    patience.abort()
  }

  #track(end: Promise<void>): void {
    this.#ends.add(end)
    void end.then(() => this.#ends.delete(end))
  }
}
