/** What a wrapped object is to do once its call is permitted: brought by code of the application, and run by the driver. */
import { assert, SyscallError } from '../errors.ts'

export class Expected<Run> {
  /** By process, by the number of the call. */
  readonly #runs = new WeakMap<object, Map<number, Run>>()

  /** What the call of that number is to run. @returns lets go of it; to be called once the call is over */
  expect(process: object, number: number, run: Run): () => void {
    const runs = this.#runs.get(process) ?? new Map<number, Run>()
    this.#runs.set(process, runs)
    assert(!runs.has(number), 'a call that is made twice')
    runs.set(number, run)
    return () => void runs.delete(number)
  }

  /** @throws SyscallError ENOENT for a call that brought nothing to run */
  of(process: object, number: number): Run {
    const run = this.#runs.get(process)?.get(number)
    if (run === undefined)
      throw new SyscallError('ENOENT', 'what is wrapped is called through the object that was wrapped')
    return run
  }
}
