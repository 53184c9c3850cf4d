/** Kernels for tests: begun with a word, and always shut down when the test is over. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import type { Json } from '../../src/index.ts'
import {
  type Entry,
  type Exit,
  type Isolation,
  KernelError,
  type KernelOptions,
  KernelSpace,
  type PolicyDocument,
  type SpawnOptions,
} from '../../src/index.ts'

const kernels = new Set<KernelSpace>()
const folders = new Set<string>()

afterEach(async () => {
  await Promise.all([...kernels].map((kernel) => kernel.shutdown()))
  kernels.clear()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
})

/** A kernel under `permissive`, with guests inline, unless told otherwise. */
export function boot(options: KernelOptions = {}): KernelSpace {
  const kernel = new KernelSpace({ policy: 'permissive', isolation: 'inline', ...options })
  kernels.add(kernel)
  return kernel
}

export interface RunOptions extends SpawnOptions {
  readonly kernel?: KernelOptions
}

/** Runs one program in a kernel of its own, to its end. */
export function runIn(isolation: Isolation, source: string, options: RunOptions = {}): Promise<Exit> {
  const { kernel, ...spawn } = options
  return boot({ ...kernel, isolation }).spawn({ source }, spawn).exit
}

/** A program whose default export is an async function with this body; `args` are its arguments. */
export const main = (body: string): string => `export default async (...args) => {\n${body}\n}`

/** The value of a program that has to exit in order. */
export function exitValue(exit: Exit): Json | undefined {
  expect(exit, 'how the process ended').toMatchObject({ status: 'exited' })
  return exit.value
}

/** Runs the body of a program in a kernel that exists, and gives its value. */
export const ask = async (kernel: KernelSpace, body: string, options: SpawnOptions = {}) =>
  exitValue(await kernel.spawn({ source: main(body) }, options).exit)

/** In a program: what a call is refused with, or `ok`. */
export const refusalOf = (call: string): string =>
  `await (${call}).then(() => 'ok', (error) => error.message)`

export const entriesOf = (kernel: KernelSpace, kind: string, syscall?: string): readonly Entry[] =>
  kernel.evidence
    .entries()
    .filter((entry) => entry.kind === kind && (syscall === undefined || entry.syscall === syscall))

/** A folder of the host that is gone when the test is over. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
  folders.add(folder)
  return folder
}

export const policyOf = (
  rules: PolicyDocument['rules'],
  more: Partial<PolicyDocument> = {},
): PolicyDocument => ({ version: 1, name: 'test', rules, ...more })

/** Waits until something holds; for what another thread or process brings about. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The KernelError that something rejects or throws with. */
export async function kernelErrorOf(work: () => unknown): Promise<KernelError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof KernelError) return error
    throw error
  }
  throw new Error('no KernelError came')
}
