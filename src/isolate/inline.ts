/** Guests as isolates of the application's own process: the cheapest call, for code that will not try to crash V8. */

import { attachInline } from './freezer.ts'
import type { Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from './guest.ts'
import { IsolateGuest } from './isolate.ts'

export class InlineSpace implements UserSpace {
  readonly #guests = new Set<Guest>()

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
        return guest.end()
      },
    }
  }

  async close(): Promise<void> {
    for (const guest of this.#guests) void guest.end()
    this.#guests.clear()
  }
}
