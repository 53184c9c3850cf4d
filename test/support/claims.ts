/** Claims about what agent code finds: programs, each with the value it gives, run in both isolations of one kernel each. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/index.ts'
import { KernelSpace } from '../../src/index.ts'
import { exitValue, main } from './kernel.ts'

/** Claim → body of a program's main function, and what it returns. */
export type Claims = Readonly<Record<string, readonly [body: string, value: Json]>>

export function claims(what: string, all: Claims): void {
  describe.each(['inline', 'cell'] as const)(`${what}, %s`, (isolation) => {
    let kernel: KernelSpace
    beforeAll(() => {
      kernel = new KernelSpace({ policy: 'permissive', isolation })
    })
    afterAll(() => kernel.shutdown())

    test.each(Object.entries(all))('%s', async (_claim, [body, value]) => {
      expect(exitValue(await kernel.spawn({ source: main(body) }).exit)).toEqual(value)
    })
  })
}

/** In a program: the name of what a function throws, or of what its promise rejects with; `nothing` where it does neither. */
export const thrownBy = (expression: string): string =>
  `await (async () => ${expression})().then(() => 'nothing', (error) => error?.name ?? String(error))`
