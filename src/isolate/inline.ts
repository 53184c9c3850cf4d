/** Guests as isolates of the application's own process: the cheapest call, for code that will not try to crash V8. */

import { limits } from '../limits.ts'
import { attachInline } from './freezer.ts'
import type { Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from './guest.ts'
import { IsolateGuest } from './isolate.ts'

export class InlineSpace implements UserSpace {
  readonly #guests = new Set<Guest>()
  /** Of guests that were told to end: an application that exits before they have crashes in V8. */
  readonly #ends = new Set<Promise<void>>()

  start(_tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest {
    const guest: Guest = new IsolateGuest(
      spec,
      {
        ...events,
        fault: (fault) => {
          this.#guests.delete(guest)
          events.fault(fault)
        },
      },
      // V8 cannot dispose such an isolate any more: the process ends as failed, its memory stays until the application ends.
      () =>
        events.fault({
          code: 'ENOMEM',
          reason:
            'agent code broke V8 by running out of memory; in `inline` isolation the application should be restarted',
        }),
      attachInline,
    )
    this.#guests.add(guest)
    return {
      deliver: (time, batch, limit) => guest.deliver(time, batch, limit),
      freeze: () => guest.freeze(),
      thaw: () => guest.thaw(),
      end: () => {
        this.#guests.delete(guest)
        return this.#end(guest)
      },
    }
  }

  /** Waits until each guest has ended, but for no longer than a cell would get: one step of V8 can take for ever. */
  async close(): Promise<void> {
    for (const guest of this.#guests) void this.#end(guest)
    this.#guests.clear()
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, limits.cellGraceMs)
    await Promise.race([Promise.all(this.#ends), late])
    clearTimeout(timer)
  }

  #end(guest: Guest): Promise<void> {
    const end = guest.end()
    this.#ends.add(end)
    void end.finally(() => this.#ends.delete(end))
    return end
  }
}
