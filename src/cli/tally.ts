/** What the gate did in one run, counted. */
import type { KernelSpace } from '../kernel.ts'

export class Tally {
  /** Every call, those included on which no policy has a say. */
  calls = 0
  /** Judged calls that were let through, whatever the device said. */
  permitted = 0
  refused = 0
  /** Let through, and an observing policy would have refused. */
  observed = 0

  constructor(kernel: KernelSpace) {
    kernel.on('syscall', ({ status, decision }) => {
      this.calls += 1
      if (status === 'refused') this.refused += 1
      else if (decision !== undefined) this.permitted += 1
      if (status !== 'refused' && decision?.observed !== undefined) this.observed += 1
    })
  }
}
