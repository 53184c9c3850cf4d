/** The walls between the folders: who may import, name and count what. Read from the source itself. */
import { builtinModules } from 'node:module'
import { describe, expect, test } from 'vitest'
import { readSources } from './support/sources.ts'

const sources = readSources('src')

/** Text that runs inside isolates only: it has no modules, and brings its own time and chance to user space. */
const userSpace = ['src/isolate/bootstrap.js', 'src/isolate/zone.js']
/** Text too: what `npm run build` bundles for isolates. */
const isWebRuntime = (path: string): boolean => /^src\/isolate\/web\/.*\.js$/.test(path)
/** Modules of Node.js as they are bundled into programs: they run inside isolates too. */
const shims = 'src/config/shims/'
const kernelSide = sources.filter(
  ({ path }) => !userSpace.includes(path) && !isWebRuntime(path) && !path.startsWith(shims),
)

/** A module or a name → the only places that may use it. */
const importWalls: readonly (readonly [what: RegExp, where: RegExp])[] = [
  [/^isolated-vm$/, /^src\/isolate\/isolate\.ts$/],
  [
    /^(node:)?fs(\/promises)?$/,
    /^src\/(drivers|isolate|config|control|cli)\/|^src\/evidence\/(files\/|read\.ts$)/,
  ],
  [/^(node:)?child_process$/, /^src\/(isolate|control|cli)\//],
  // Only to know that it is in none.
  [/^(node:)?worker_threads$/, /^src\/isolate\/exit\.ts$/],
  [/^(node:)?(cluster|vm|dgram|repl|wasi|sqlite)$/, /^$/],
  [/^(node:)?net$/, /^src\/(drivers\/net|isolate|control)\//],
  [/^(node:)?(https|http2|tls|dns|dns\/promises)$/, /^src\/drivers\/net\//],
  [/^(node:)?zlib$/, /^src\/(drivers\/net|evidence\/files)\//],
  [/^(node:)?http$/, /^src\/control\//],
  [/^undici$/, /^src\/(drivers\/net|control)\//],
  [/^memfs/, /^src\/drivers\/vfs\//],
  [/^esbuild$/, /^src\/config\//],
  [/^@marcbachmann\/cel-js$/, /^src\/policy\/cel-/],
  [/^commander$/, /^src\/cli\//],
  [/^(node:)?inspector/, /^src\/govern\//],
]

const nameWalls: readonly (readonly [what: RegExp, where: RegExp])[] = [
  [/^(Date\.now|Math\.random|new Date\(\)|randomUUID|crypto\.randomUUID)$/, /^src\/clock\.ts$/],
  [/^(process\.hrtime|performance\.now)/, /^src\/(clock|isolate\/deadline|cli\/.*)\.ts$/],
  [/^(fetch|globalThis\.fetch)\(\)$/, /^src\/(drivers|control|cli)\//],
  [/^Grant\.claimMint\(\)$/, /^src\/gate\.ts$/],
  [/^(eval|Function|new Function)\(\)$/, /^$/],
]

/** Folders and files of src, and what may be imported from there at run time, types apart. */
const layers: Readonly<Record<string, RegExp>> = {
  'src/errors.ts': /^src\/limits\.ts$/,
  'src/flaws.ts': /^src\/policy\/suggest\.ts$/,
  'src/actors.ts': /^$/,
  'src/labels.ts': /^src\/(errors|limits)\.ts$/,
  'src/limits.ts': /^$/,
  'src/clock.ts': /^$/,
  'src/json.ts': /^src\/(errors|limits)\.ts$/,
  'src/grant.ts': /^src\/errors\.ts$/,
  'src/places.ts': /^src\/limits\.ts$/,
  'src/policy/': /^src\/(policy\/|(errors|labels|limits|json)\.ts$)/,
  'src/evidence/': /^src\/(evidence\/|(actors|errors|limits|json|clock)\.ts$)/,
  'src/isolate/': /^src\/(isolate\/|(errors|limits)\.ts$)/,
  'src/proc/': /^src\/(proc\/|policy\/|(actors|errors|flaws|labels|limits|json|clock)\.ts$)/,
  'src/drivers/': /^src\/(drivers\/|proc\/|(errors|labels|limits|json|clock|grant)\.ts$)/,
  'src/syscalls/': /^src\/(syscalls\/|drivers\/|proc\/|(errors|labels|limits|json|grant)\.ts$)/,
  'src/syscalls.ts': /^src\/(syscalls\/|(errors|limits)\.ts$)/,
  'src/approvals/':
    /^src\/((actors|errors|limits|json|observers)\.ts$|approvals\/|evidence\/|proc\/|policy\/units\.ts$|drivers\/vfs\/look\.ts$)/,
  'src/gate/':
    /^src\/((syscalls|errors|flaws|labels|limits|json|grant|observers)\.ts$|gate\/|approvals\/|syscalls\/|evidence\/|proc\/|policy\/)/,
  'src/gate.ts': /^src\/((errors|limits|grant|observers)\.ts$|gate\/|approvals\/|evidence\/|proc\/)/,
  'src/control/': /^src\/(control\/|proc\/|(errors|flaws|limits)\.ts$)/,
  'src/config/':
    /^src\/(config\/|policy\/|evidence\/canonical\.ts$|(errors|flaws|labels|limits|json|clock)\.ts$)/,
  'src/replay/':
    /^src\/(replay\/|evidence\/|isolate\/|proc\/signals\.ts$|gate\/answers\.ts$|(errors|limits|json|places)\.ts$)/,
  'src/backtest/':
    /^src\/(backtest\/|gate\/|syscalls\/|evidence\/|proc\/|policy\/|config\/policy\.ts$|(syscalls|errors|labels|limits|json)\.ts$)/,
  'src/suite/': /^src\/(suite\/|policy\/|(errors|flaws|limits|json)\.ts$)/,
  'src/govern/': /^src\/(govern\/|policy\/|config\/source-map\.ts$|(errors|labels|limits|json)\.ts$)/,
}

const leaks = (walls: typeof importWalls, used: (source: (typeof sources)[number]) => Iterable<string>) =>
  kernelSide.flatMap((source) =>
    [...used(source)].flatMap((what) =>
      walls
        .filter(([pattern, where]) => pattern.test(what) && !where.test(source.path))
        .map(() => `${source.path} uses ${what}`),
    ),
  )

describe('walls', () => {
  test('each module of the host is imported only where it belongs', () => {
    expect(
      leaks(importWalls, ({ imports }) => imports.filter(({ typeOnly }) => !typeOnly).map(({ to }) => to)),
    ).toEqual([])
  })

  test('time, chance, the network and the mint of grants are named only where they belong', () => {
    expect(leaks(nameWalls, ({ names }) => names)).toEqual([])
  })

  test('the walls are walls: each is used by something on its own side, or forbids to all', () => {
    for (const [what, where] of importWalls) {
      const users = sources.filter(({ imports }) => imports.some(({ to }) => what.test(to)))
      if (where.source !== '^$') expect([what.source, users.length > 0]).toEqual([what.source, true])
    }
  })

  test('the policy decides without Node.js', () => {
    const modules = sources
      .filter(({ path }) => path.startsWith('src/policy/'))
      .flatMap(({ path, imports }) => imports.map(({ to }) => `${path} ${to}`))
    expect(modules.filter((it) => / node:/.test(it))).toEqual([])
  })

  test('modules that are bundled into programs import each other and packages, and nothing of the kernel or of Node.js', () => {
    const imports = sources.filter(({ path }) => path.startsWith(shims)).flatMap((source) => source.imports)
    const to = imports.map((each) => each.to)
    expect(to.filter((each) => each.startsWith('src/') && !each.startsWith(shims))).toEqual([])
    expect(to.filter((each) => each.startsWith('node:') || builtinModules.includes(each))).toEqual([])
  })

  test('user space’s own text imports nothing', () => {
    for (const text of userSpace) expect(sources.find(({ path }) => path === text)?.imports).toEqual([])
  })

  test('the web runtime imports itself and packages that need no host, and nobody imports it', () => {
    const packages =
      /^(real:tr46|web-streams-polyfill|whatwg-url\/.*|urlpattern-polyfill\/.*|@exodus\/bytes\/.*|@noble\/hashes\/.*|fflate)$/
    const runtime = sources.filter(({ path }) => isWebRuntime(path))
    expect(runtime.length).toBeGreaterThan(10)
    const out = runtime.flatMap(({ path, imports }) =>
      imports
        .filter(({ to }) => !isWebRuntime(to) && !packages.test(to))
        .map(({ to }) => `${path} imports ${to}`),
    )
    const into = kernelSide.flatMap(({ path, imports }) =>
      imports.filter(({ to }) => isWebRuntime(to)).map(({ to }) => `${path} imports ${to}`),
    )
    expect([...out, ...into]).toEqual([])
  })
})

describe('direction', () => {
  test.each(Object.entries(layers))('%s imports nothing from above', (layer, below) => {
    const up = sources
      .filter(({ path }) => (layer.endsWith('/') ? path.startsWith(layer) : path === layer))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ to, typeOnly }) => to.startsWith('src/') && !typeOnly && !below.test(to))
          .map(({ to }) => `${path} imports ${to}`),
      )
    expect(up).toEqual([])
  })

  test('nothing but the command imports the kernel, and nothing of src its public face', () => {
    const users = (of: string) =>
      kernelSide
        .filter(({ imports }) => imports.some(({ to, typeOnly }) => to === of && !typeOnly))
        .map(({ path }) => path)
    expect(users('src/kernel.ts').filter((path) => !/^src\/(index\.ts|cli\/|control\/)/.test(path))).toEqual(
      [],
    )
    expect(users('src/index.ts').filter((path) => !/^src\/(cli|control)\//.test(path))).toEqual([])
    expect(users('src/gate.ts').filter((path) => path !== 'src/system.ts')).toEqual([])
  })

  test('an auditor can read verification alone: its own files, the canonical form, node:crypto', () => {
    const alone = /^src\/evidence\/(verify\.ts|verify\/|(approved|checkpoint|merkle|note|proof)\.ts$)/
    const beside = /^(node:crypto|src\/evidence\/canonical\.ts)$/
    const verification = sources.filter(({ path }) => alone.test(path))
    const imports = verification.flatMap(({ path, imports }) =>
      imports.filter(({ typeOnly }) => !typeOnly).map(({ to }) => ({ path, to })),
    )
    expect(imports.some(({ to }) => to === 'src/evidence/merkle.ts')).toBe(true)
    expect(imports.filter(({ to }) => !alone.test(to) && !beside.test(to))).toEqual([])
  })

  test('no file imports itself by way of others', () => {
    const imports = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.filter(({ typeOnly }) => !typeOnly).map(({ to }) => to),
      ]),
    )
    const done = new Set<string>()
    const circle = (path: string, way: readonly string[]): readonly string[] => {
      if (way.includes(path)) return [...way.slice(way.indexOf(path)), path]
      if (done.has(path)) return []
      for (const next of imports.get(path) ?? []) {
        const found = circle(next, [...way, path])
        if (found.length > 0) return found
      }
      done.add(path)
      return []
    }
    expect([...imports.keys()].flatMap((path) => circle(path, []))).toEqual([])
  })
})

describe('integrations', () => {
  const integrations = readSources('integrations')
  /** Packages of which each is made, by the names of their folders. */
  const frameworks: Readonly<Record<string, RegExp>> = {
    openai: /^openai($|\/)/,
    'vercel-ai': /^(ai|@ai-sdk\/provider)$/,
    langchain: /^(langchain|@langchain\/(core|langgraph))($|\/)/,
    'openai-agents': /^@openai\/agents/,
    mcp: /^@modelcontextprotocol\/sdk\//,
    'google-adk': /^@google\/adk$/,
    mastra: /^@mastra\/core($|\/)/,
    llamaindex: /^llamaindex$/,
  }

  test('each imports the public face, its own files and its own framework, and nothing else', () => {
    const beyond = integrations
      .filter(({ path }) => path !== 'integrations/contract.ts')
      .flatMap(({ path, imports }) => {
        const [, folder = ''] = path.split('/')
        const may = (to: string): boolean =>
          to === 'gatehouse' ||
          to.startsWith(`integrations/${folder}/`) ||
          (/^node:(module|async_hooks|crypto)$/.test(to) as boolean) ||
          frameworks[folder]?.test(to) === true
        return imports.filter(({ to }) => !may(to)).map(({ to }) => `${path} imports ${to}`)
      })
    expect(beyond).toEqual([])
  })

  test('each has an index, and files and functions as short as those of the kernel', () => {
    const folders = new Set(
      integrations.map(({ path }) => path.split('/')[1] ?? '').filter((it) => !/\./.test(it)),
    )
    expect(folders.size).toBeGreaterThan(0)
    for (const folder of folders) {
      expect(Object.keys(frameworks)).toContain(folder)
      expect(integrations.map(({ path }) => path)).toContain(`integrations/${folder}/index.ts`)
    }
    const inFolders = integrations.filter(({ path }) => path !== 'integrations/contract.ts')
    const long = inFolders.flatMap(({ path, lines, functions }) => [
      ...(lines > 300 ? [path] : []),
      ...functions.filter((it) => it.lines > 60).map(({ name }) => `${path} ${name}`),
    ])
    expect(long).toEqual([])
  })
})

describe('bounds', () => {
  /** What a unit is made of, and what is no bound. */
  const units = new Set([1_024, 1e6, 60_000, 3_600_000])
  const noBound: Readonly<Record<string, readonly number[]>> = {
    // The edition of the language that a parser reads.
    'src/govern/free-names.ts': [2_026],
    // How often a line is drawn, in ms.
    'src/cli/progress.ts': [10_000],
  }

  test('a number over 1,000 stands in limits.ts, with its reason', () => {
    const bare = kernelSide
      .filter(({ path }) => path !== 'src/limits.ts')
      .flatMap(({ path, numbers }) =>
        numbers
          .filter((number) => number > 1_000 && !units.has(number) && !noBound[path]?.includes(number))
          .map((number) => `${path}: ${number}`),
      )
    expect(bare).toEqual([])
  })

  test('a file has at most 300 lines, a function at most 60', () => {
    // The table of limits is as long as there are limits, and what is printed from a table as long as that.
    const all = sources.filter(({ path }) => !userSpace.includes(path))
    const files = all.filter(({ path }) => path !== 'src/limits.ts' && path !== 'src/guest.ts')
    expect(files.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([])
    const long = all.flatMap(({ path, functions }) =>
      functions.filter(({ lines }) => lines > 60).map(({ name, lines }) => `${path} ${name}: ${lines}`),
    )
    expect(long).toEqual([])
  })

  test('no source uses decorators: not every Node.js can strip them', () => {
    expect(sources.filter(({ decorators }) => decorators > 0).map(({ path }) => path)).toEqual([])
  })
})
