/** An agent's files as the application sees them: the same tree, the same refusals, and every act on record. */
import { assertCarried, type Declassification, readDeclassification } from './declassify.ts'
import type { VfsDriver } from './drivers/vfs/driver.ts'
import type { FileStat, ListEntry } from './drivers/vfs/mount.ts'
import { normalizePath } from './drivers/vfs/path.ts'
import type { Tree } from './drivers/vfs/tree.ts'
import { KernelError, SyscallError } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Grant } from './grant.ts'
import type { Json } from './json.ts'
import { type Labels, noLabels, readLabels } from './labels.ts'

type Data = string | Uint8Array

export class HostFiles {
  readonly #gate: Gate
  readonly #driver: VfsDriver
  readonly #tree: Tree
  readonly #agent: string

  constructor(gate: Gate, driver: VfsDriver, tree: Tree, agent: string) {
    this.#gate = gate
    this.#driver = driver
    this.#tree = tree
    this.#agent = agent
  }

  /** @returns the file as text @throws KernelError with the errno of POSIX; EINVAL where it is not UTF-8 */
  async read(path: string): Promise<string> {
    const { text } = (await this.#act('fs.read', [path], (grant, [at]) =>
      this.#driver.read(grant, this.#tree, at),
    )) as { text: string }
    return text
  }

  /** @returns the file's bytes @throws KernelError with the errno of POSIX */
  async readBytes(path: string): Promise<Uint8Array> {
    const act = (grant: Grant, [at]: Paths) => this.#driver.read(grant, this.#tree, at, { encoding: 'bytes' })
    const { base64 } = (await this.#act('fs.read', [path], act)) as { base64: string }
    return Buffer.from(base64, 'base64')
  }

  /** @throws KernelError with the errno of POSIX; EROFS below /policy, /proc, /tools and /audit, for everyone */
  async write(path: string, data: Data, options: WriteOptions = {}): Promise<void> {
    await this.#put('fs.write', path, data, options)
  }

  async append(path: string, data: Data, options: WriteOptions = {}): Promise<void> {
    await this.#put('fs.append', path, data, options)
  }

  async #put(
    syscall: 'fs.write' | 'fs.append',
    path: string,
    data: Data,
    { labels: given = noLabels }: WriteOptions,
  ): Promise<void> {
    const labels = readLabels(given, '`labels`')
    const content = contentOf(data, syscall, path)
    const put = syscall === 'fs.write' ? this.#driver.write : this.#driver.append
    const act = (grant: Grant, [at]: Paths) =>
      put.call(this.#driver, grant, this.#tree, at, content, { labels })
    await this.#act(syscall, [path], act, { ...content, labels: [...labels] })
  }

  /** @returns what a process takes on when it reads there; nothing where there is nothing @throws KernelError EINVAL */
  labels(path: string): Labels {
    return this.#tree.labelsOf(this.#normal(path))
  }

  async list(path: string): Promise<readonly ListEntry[]> {
    return (await this.#act('fs.list', [path], (grant, [at]) =>
      this.#driver.list(grant, this.#tree, at),
    )) as unknown as ListEntry[]
  }

  async stat(path: string): Promise<FileStat> {
    return (await this.#act('fs.stat', [path], (grant, [at]) =>
      this.#driver.stat(grant, this.#tree, at),
    )) as unknown as FileStat
  }

  async mkdir(path: string): Promise<void> {
    await this.#act('fs.mkdir', [path], (grant, [at]) => this.#driver.mkdir(grant, this.#tree, at))
  }

  async remove(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    const act = (grant: Grant, [at]: Paths) => this.#driver.remove(grant, this.#tree, at, options)
    await this.#act('fs.remove', [path], act, { recursive: options.recursive ?? false })
  }

  async move(from: string, to: string): Promise<void> {
    await this.#act('fs.move', [from, to], (grant, [at, target]) =>
      this.#driver.move(grant, this.#tree, at, target),
    )
  }

  /**
   * Releases the content of a file, which a person has looked at: whoever reads it as it is now does not take these
   * labels on. Its name, and the labels of its mount, stay.
   * @returns what was released, as the file's text
   * @throws KernelError EINVAL for what is not sound and for labels that it does not carry, EAGAIN where the mount is being changed, and with the errno of
   *   POSIX; EvidenceError where it cannot be recorded
   */
  async declassify(path: string, given: Declassification): Promise<void> {
    const { labels, by, reason } = readDeclassification(given)
    await this.#act('fs.read', [path], async (grant, [at]) => {
      const before = this.#tree.releaseAt(at).changes
      const content = await this.#driver.read(grant, this.#tree, at, { encoding: 'bytes' })
      const { changes, carried, fixed, release } = this.#tree.releaseAt(at)
      if (changes !== before)
        throw new SyscallError('EAGAIN', 'files of its mount were changed meanwhile; look at it again')
      const kept = fixed.find((label) => labels.includes(label))
      if (kept !== undefined)
        throw new SyscallError(
          'EINVAL',
          `\`${kept}\` is a label of its mount, and stays; give an agent what it may have by another mount`,
        )
      assertCarried(labels, carried, 'the content of this file')
      this.#gate.declassified({ agent: this.#agent, path: at, by, reason, labels }, JSON.stringify(content))
      release(labels)
      return null
    })
  }

  #normal(path: string): string {
    try {
      return normalizePath(path)
    } catch (error) {
      if (error instanceof SyscallError) throw new KernelError(error.code, error.message)
      throw error
    }
  }

  async #act(
    syscall: string,
    given: readonly string[],
    act: (grant: Grant, paths: Paths) => unknown,
    args: Readonly<Record<string, Json>> = {},
  ): Promise<unknown> {
    try {
      const [first = '/', second = first] = given.map(normalizePath)
      const isMove = given.length > 1
      const what = {
        ...{ agent: this.#agent, syscall, resources: isMove ? [first, second] : [first] },
        args: isMove ? { from: first, to: second, ...args } : { path: first, ...args },
        external: this.#driver.isExternal(this.#tree, first),
      }
      return await this.#gate.host(what, (grant) => act(grant, [first, second]))
    } catch (error) {
      throw kernelErrorOf(error, syscall, given)
    }
  }
}

export interface WriteOptions {
  /** What the content carries, and where the file is new its name; nothing by default. */
  readonly labels?: Labels
}

type Paths = readonly [string, string]

function kernelErrorOf(error: unknown, syscall: string, given: readonly string[]): unknown {
  if (!(error instanceof SyscallError)) return error
  return new KernelError(error.code, `${error.code}: ${syscall} \`${given.join(' → ')}\`: ${error.message}`)
}

function contentOf(data: Data, syscall: string, path: string): { text: string } | { base64: string } {
  if (typeof data === 'string') return { text: data }
  if (data instanceof Uint8Array) return { base64: Buffer.from(data).toString('base64') }
  const error = new SyscallError('EINVAL', 'what is written has to be a string or a Uint8Array')
  throw kernelErrorOf(error, syscall, [path])
}
