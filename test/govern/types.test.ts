import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Decorators, node, temporaryFolder, tsconfig } from './compilers.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

for (const decorators of ['standard', 'legacy'] satisfies Decorators[]) {
  for (const file of ['types-sound.ts', 'types-unsound.ts']) {
    test(`${file} type-checks as it says with ${decorators} decorators`, async () => {
      const config = join(folder, `${decorators}-${file}.json`)
      writeFileSync(config, tsconfig(decorators, { noEmit: true }, [file]))
      const tsc = resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc')
      const report = await node(tsc, '-p', config).catch((error: { stdout: string }) => error.stdout)
      expect(report).toBe('')
    }, 60_000)
  }
}
