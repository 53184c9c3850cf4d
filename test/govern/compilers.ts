/** Compiles decorator fixtures as people do, into a folder of the test's own, and runs what came out. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
export const fixtures = join(root, 'test/fixtures/decorators')
const runFixture = join(root, 'test/govern/run-fixture.ts')
const bin = (path: string): string => join(root, 'node_modules', path)

export type Decorators = 'standard' | 'legacy'

export interface Compiler {
  readonly name: string
  /** Compiles the fixtures and gives back how to run one of them. */
  prepare(
    folder: string,
    decorators: Decorators,
    files: readonly string[],
  ): Promise<(file: string) => Promise<string>>
}

/** A new folder under the system's temporary one, and its removal. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-govern-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Runs a program of the repository with this very Node.js. */
export async function node(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: root,
  })
  return stdout
}

export function tsconfig(decorators: Decorators, options: object, files: readonly string[]): string {
  return JSON.stringify({
    compilerOptions: {
      ...{
        strict: true,
        skipLibCheck: true,
        moduleResolution: 'bundler',
        module: 'esnext',
        target: 'es2022',
      },
      ...{ lib: ['esnext'], types: ['node'], typeRoots: [bin('@types')] },
      ...{ allowImportingTsExtensions: true, rewriteRelativeImportExtensions: true, rootDir: root },
      ...(decorators === 'legacy' ? { experimentalDecorators: true, emitDecoratorMetadata: true } : {}),
      ...options,
    },
    files: files.map((file) => join(fixtures, file)),
  })
}

const tsc = (name: string, type: 'module' | 'commonjs', options: object): Compiler => ({
  name,
  async prepare(folder, decorators, files) {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }))
    writeFileSync(
      join(folder, 'tsconfig.json'),
      tsconfig(decorators, { outDir: folder, sourceMap: true, ...options }, files),
    )
    await node(bin('typescript/bin/tsc'), '-p', folder)
    return (file) => node(runFixture, join(folder, 'test/fixtures/decorators', file.replace(/ts$/, 'js')))
  },
})

const esbuild = (name: string, options: object): Compiler => ({
  name,
  async prepare(folder, decorators, files) {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    await build({
      entryPoints: files.map((file) => join(fixtures, file)),
      outdir: folder,
      format: 'esm',
      target: 'node22',
      sourcemap: 'inline',
      keepNames: true,
      tsconfigRaw: { compilerOptions: { experimentalDecorators: decorators === 'legacy' } },
      ...options,
    })
    const extension = 'outExtension' in options ? 'cjs' : 'js'
    return (file) => node(runFixture, join(folder, file.replace(/ts$/, extension)))
  },
})

const tsx: Compiler = {
  name: 'tsx',
  async prepare(folder, decorators, files) {
    // tsx transforms the author's file itself, as a copy beside a configuration of its own.
    mkdirSync(join(folder, 'src'))
    for (const file of files) copyFileSync(join(fixtures, file), join(folder, 'src', file))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    const config = join(folder, 'tsconfig.json')
    const compilerOptions = { experimentalDecorators: decorators === 'legacy' }
    writeFileSync(config, JSON.stringify({ compilerOptions, include: ['src'] }))
    return (file) =>
      node(bin('tsx/dist/cli.mjs'), '--tsconfig', config, runFixture, join(folder, 'src', file))
  },
}

export const compilers: readonly Compiler[] = [
  tsc('tsc to ES2022 modules', 'module', {}),
  tsc('tsc to ES2016 CommonJS', 'commonjs', { module: 'commonjs', target: 'es2016', esModuleInterop: true }),
  esbuild('esbuild', {}),
  esbuild('esbuild to ES2016 CommonJS', { format: 'cjs', target: 'es2016', outExtension: { '.js': '.cjs' } }),
  tsx,
]
