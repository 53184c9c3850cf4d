/** What agent code can rely on, wherever it runs. Every isolation that has an isolate keeps all of it. */
import { afterAll, beforeAll, describe } from 'vitest'
import { type Exit, KernelSpace, type SpawnOptions } from '../../src/index.ts'
import { errorsContract } from './user-space/errors.ts'
import { limitsContract } from './user-space/limits.ts'
import { programsContract } from './user-space/programs.ts'
import { timeContract } from './user-space/time.ts'
import { valuesContract } from './user-space/values.ts'

/** Runs a program to its end; `kernel` is shared by the claims of one file. */
export interface Place {
  readonly isolation: 'cell' | 'inline'
  readonly kernel: () => KernelSpace
  readonly run: (source: string, options?: SpawnOptions) => Promise<Exit>
}

export function userSpaceContract(isolation: 'cell' | 'inline'): void {
  let kernel: KernelSpace | undefined
  beforeAll(() => {
    kernel = new KernelSpace({ policy: 'permissive', isolation })
  })
  afterAll(() => kernel?.shutdown())
  const present = (): KernelSpace => {
    if (kernel === undefined) throw new Error('the kernel is asked for before it was made')
    return kernel
  }
  const place: Place = {
    isolation,
    kernel: present,
    run: (source, options) => present().spawn({ source }, options).exit,
  }
  describe(`${isolation}: values`, () => valuesContract(place))
  describe(`${isolation}: errors`, () => errorsContract(place))
  describe(`${isolation}: time, chance and output`, () => timeContract(place))
  describe(`${isolation}: limits`, () => limitsContract(place))
  describe(`${isolation}: programs`, () => programsContract(place))
}
