/** How many calls may wait for people at once: of one process, of one run, and of all, so that none fills the list. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Process } from '../proc/process.ts'

interface Seat {
  readonly process: Process
  /** Of its arguments, in UTF-16 units. */
  readonly length: number
}

export class Seats {
  readonly #taken = new Set<Seat>()

  /**
   * @returns gives the seat back
   * @throws SyscallError EAGAIN where too many wait already
   */
  take(process: Process, length: number): () => void {
    // How many of an extraction wait would tell others more than its bits: its seats are apart from theirs.
    const sealed = process.identity.sealed === true
    const all = [...this.#taken].filter((seat) => (seat.process.identity.sealed === true) === sealed)
    const run = all.filter((seat) => seat.process.identity.run === process.identity.run)
    const own = run.filter((seat) => seat.process === process)
    assertRoom(own.length, limits.approvalsPerProcessMax, 'of this process')
    assertRoom(run.length, limits.approvalsPerRunMax, 'of this run')
    assertRoom(all.length, limits.approvalsMax, 'of all agents')
    const isLong = (seats: readonly Seat[], max: number): boolean =>
      seats.reduce((sum, seat) => sum + seat.length, length) > max
    if (isLong(run, limits.approvalsRunLengthMax) || isLong(all, limits.approvalsLengthMax))
      throw new SyscallError('EAGAIN', 'the calls that wait for approval hold too much; await some first')
    const seat = { process, length }
    this.#taken.add(seat)
    return () => void this.#taken.delete(seat)
  }
}

function assertRoom(count: number, max: number, whose: string): void {
  if (count >= max)
    throw new SyscallError('EAGAIN', `${max} calls ${whose} wait for approval already; await some first`)
}
