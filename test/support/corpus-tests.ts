/** Makes tests of families of attacks, one arena for each family. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Family } from './attack.ts'
import { Arena } from './corpus.ts'

export function corpusTests(isolation: 'cell' | 'inline', families: readonly Family[]): void {
  describe.each(families)(`${isolation}: $name`, ({ attacks }) => {
    let arena: Arena | undefined
    beforeAll(async () => {
      arena = await Arena.open(isolation)
    })
    afterAll(() => arena?.close())
    for (const attack of attacks) {
      if (isolation === 'inline' && attack.notInline !== undefined) continue
      test(attack.name, async () => {
        if (arena === undefined) throw new Error('there is no arena')
        await arena.run(attack)
      })
    }
  })
}
