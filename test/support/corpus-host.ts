/** What there is to steal on the host of an arena: files beside its mounts, secrets, a server, its record. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const secret = (what: string): string => `canary-${what}-${randomUUID()}`

export class ArenaHost {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-corpus-')))
  /** Each lies where no attacker may look. */
  readonly secrets = {
    file: secret('file'),
    environment: secret('env'),
    memory: secret('memory'),
    tool: secret('tool'),
  } as const
  readonly #outside: ReadonlyMap<string, string>
  readonly #server: Server
  readonly #read = new Map<string, number>()
  #asked = 0

  constructor() {
    process.env.GATEHOUSE_CANARY = this.secrets.environment
    for (const name of ['mounted/sub', 'scratch', 'beside'])
      mkdirSync(join(this.folder, name), { recursive: true })
    writeFileSync(join(this.folder, 'mounted/a.txt'), 'mounted')
    writeFileSync(join(this.folder, 'beside/secret.txt'), this.secrets.file)
    for (const mount of ['mounted', 'scratch']) {
      symlinkSync(join(this.folder, 'beside'), join(this.folder, mount, 'out'))
      symlinkSync('../beside/secret.txt', join(this.folder, mount, 'link.txt'))
    }
    this.#outside = this.#readOutside()
    this.#server = createServer((_request, response) => {
      this.#asked += 1
      response.end(this.secrets.file)
    })
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await new Promise((resolve) => this.#server.once('listening', resolve))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  assertUntouched(): void {
    assert.equal(this.#asked, 0, 'nobody asks the server of the host')
    assert.deepEqual(this.#readOutside(), this.#outside, 'files beside the mounts are as they were')
  }

  /** What the kernel has written since the last look, programs and arguments included. */
  newEvidence(): string {
    const folder = join(this.folder, 'evidence')
    const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
    return files
      .map((name) => {
        const from = this.#read.get(name) ?? 0
        const bytes = readFrom(join(folder, name), from)
        this.#read.set(name, from + bytes.length)
        return bytes.toString('utf8')
      })
      .join('\n')
  }

  /** Bytes of evidence that were looked at so far. */
  get evidenceBytes(): number {
    return [...this.#read.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  close(): void {
    this.#server.close()
    rmSync(this.folder, { recursive: true, force: true })
    delete process.env.GATEHOUSE_CANARY
  }

  /** The host's files that no attack may change. */
  #readOutside(): ReadonlyMap<string, string> {
    const files = ['mounted', 'beside'].flatMap((folder) =>
      readdirSync(join(this.folder, folder)).map((name) => join(folder, name)),
    )
    return new Map(files.map((file) => [file, readIfFile(join(this.folder, file))]))
  }
}

function readFrom(path: string, position: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - position))
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, position))
  } finally {
    closeSync(file)
  }
}

function readIfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return 'no file'
  }
}
