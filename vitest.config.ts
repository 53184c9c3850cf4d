import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Files that take longest begin first, so that none of them is left over alone at the end. */
const longest = [
  'hostile/cell',
  'hostile/inline',
  'cli/run',
  'escape/cell',
  'programs/programs',
  'proc/freeze',
  'govern/decorators',
  'policy/detect/hostile',
  'leave',
]
const rank = ({ moduleId }: TestSpecification): number => {
  const index = longest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`))
  return index === -1 ? longest.length : index
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^gatehouse\/guest$/, replacement: source('src/guest.ts') },
      { find: /^gatehouse$/, replacement: source('src/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: source('test/support/own-config.ts'),
    // Isolates and cells have threads of their own; more workers than cores only make them wait.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
