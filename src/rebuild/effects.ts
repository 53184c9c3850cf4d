/** Effects within the kernel, done again as they are on record: files in memory, mailboxes, how signals are taken. */
import type { Content } from '../drivers/vfs/content.ts'
import { kernelFolders } from '../drivers/vfs/layout.ts'
import { covers } from '../drivers/vfs/path.ts'
import type { Tree } from '../drivers/vfs/tree.ts'
import { SyscallError } from '../errors.ts'
import type { Gate } from '../gate.ts'
import type { Grant } from '../grant.ts'
import type { Json } from '../json.ts'
import { joinLabels, type Labels, noLabels, withoutLabels } from '../labels.ts'
import type { Process } from '../proc/process.ts'
import { signalName } from '../proc/signals.ts'
import type { Drivers } from '../syscalls/row.ts'

type FileArgs = Content & {
  readonly path: string
  readonly recursive?: boolean
  readonly from: string
  readonly to: string
  readonly labels?: Labels
}

const fileCalls = new Set(['fs.write', 'fs.append', 'fs.mkdir', 'fs.remove', 'fs.move'])
const otherCalls = new Set([
  'ipc.send',
  'ipc.receive',
  'proc.sigaction',
  'proc.sigmask',
  'proc.sigreturn',
  'proc.output',
])

/** Whether a call changes something that stays in the kernel, so that its arguments are needed. */
export const changesKernel = (syscall: string, resource: string): boolean =>
  fileCalls.has(syscall) ? isInMemory(resource) : otherCalls.has(syscall)

/** No mount of the host can lie there. */
const isInMemory = (resource: string): boolean =>
  kernelFolders.some((folder) => covers(folder, resource.split(' → ')[0] ?? ''))

/** Whether a path lies in what belongs to an agent's name and outlives its processes. */
const isOfAgent = (path: string): boolean => covers('/mem', path) || covers('/state', path)

/** What was there already before anything was done again, from a snapshot. */
export interface Included {
  /** Whether the files of an agent below /mem and /state show what the entry with that number says was done. */
  files(agent: string, seq: number): boolean
  mailboxes(seq: number): boolean
}

/** One committed call. */
export interface PastCall {
  /** Of its outcome. */
  readonly seq: number
  readonly process: Process
  readonly syscall: string
  /** Hash of its arguments. */
  readonly payload: string
  /** As they were decoded. */
  readonly args: Json
  /** What its outcome carried. */
  readonly labels: Labels
}

/** An act of the application, by its entry. */
export interface HostAct {
  readonly seq: number
  readonly agent: string
  readonly syscall: string
  readonly payload: string
}

export class PastEffects {
  readonly #gate: Gate
  readonly #drivers: Drivers
  readonly #included: Included

  /** @param included what is not done, since it was there already */
  constructor(gate: Gate, drivers: Drivers, included: Included) {
    this.#gate = gate
    this.#drivers = drivers
    this.#included = included
  }

  /** Whether what a call did there was there already, so that its arguments are not needed. */
  has({
    agent,
    syscall,
    resource,
    seq,
  }: {
    readonly agent: string
    readonly syscall: string
    readonly resource: string
    readonly seq: number
  }): boolean {
    return fileCalls.has(syscall) && isOfAgent(resource) && this.#included.files(agent, seq)
  }

  /** @throws Error where it cannot be done again as it was done before */
  redo(call: PastCall): void {
    if (fileCalls.has(call.syscall)) return this.#file(call)
    const { process, args } = call
    if (call.syscall === 'ipc.send') return this.#send(call, args as never)
    if (call.syscall === 'ipc.receive') return this.#receive(call, args as never)
    if (call.syscall === 'proc.sigaction') {
      const { signal, disposition } = args as never as { signal: string; disposition: never }
      process.dispositions.set(signalName(signal), disposition)
    }
    if (call.syscall === 'proc.sigmask') {
      const { signals } = args as never as { signals: readonly string[] }
      process.dispositions.mask(signals.map(signalName))
    }
    if (call.syscall === 'proc.sigreturn') {
      const { signal } = args as never as { signal: number }
      process.dispositions.handlerReturned(signalName(signal))
    }
    if (call.syscall === 'proc.output') process.printed += (args as never as { text: string }).text.length
  }

  /** What the application did to files of an agent; what failed then fails again, and changes nothing. */
  host(act: HostAct, args: Json, tree: Tree): void {
    const { seq, agent, syscall, payload } = act
    const file = args as never as FileArgs
    const paths = syscall === 'fs.move' ? [file.from, file.to] : [file.path]
    if (!fileCalls.has(syscall) || !isInMemory(paths[0] ?? '')) return
    if (this.#included.files(agent, seq)) return
    const written = { labels: file.labels ?? noLabels }
    try {
      this.#gate.again({ pid: 0, agent, payload }, syscall, paths, (grant) =>
        this.#change({ grant, tree, syscall, file, written, labels: noLabels }),
      )
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
    }
  }

  #file(call: PastCall): void {
    const { process, syscall, args, labels: carried } = call
    const file = args as never as FileArgs
    const paths = syscall === 'fs.move' ? [file.from, file.to] : [file.path]
    const tree = this.#drivers.treeOf(process)
    const naming = process.labels
    const released = 'text' in file ? process.releases.useText(file.text) : noLabels
    // Its own /tmp is in no snapshot.
    if (isOfAgent(paths[0] ?? '') && this.#included.files(process.name, call.seq)) return
    const written = { labels: withoutLabels(naming, released), naming }
    // What a rule gave to a move is among what its result carried.
    const labels = syscall === 'fs.move' ? joinLabels(naming, carried) : naming
    this.#gate.again(whose(call), syscall, paths, (grant) =>
      this.#change({ grant, tree, syscall, file, written, labels }),
    )
  }

  #change(change: {
    readonly grant: Grant
    readonly tree: Tree
    readonly syscall: string
    readonly file: FileArgs
    readonly written: { readonly labels: Labels; readonly naming?: Labels }
    readonly labels: Labels
  }): void {
    const { vfs } = this.#drivers
    const { grant, tree, syscall, file, written, labels } = change
    const { path, from, to, recursive = false } = file
    if (syscall === 'fs.write') vfs.write(grant, tree, path, file, written)
    else if (syscall === 'fs.append') vfs.append(grant, tree, path, file, written)
    else if (syscall === 'fs.mkdir') vfs.mkdir(grant, tree, path, labels)
    else if (syscall === 'fs.remove') vfs.remove(grant, tree, path, { recursive, labels })
    else vfs.move(grant, tree, from, to, { labels })
  }

  #send(call: PastCall, { to, message }: { readonly to: string; readonly message: Json }): void {
    const { process } = call
    const labels = withoutLabels(process.labels, process.releases.use(message))
    if (this.#included.mailboxes(call.seq)) return
    this.#gate.again(whose(call), 'ipc.send', [to], (grant) =>
      this.#drivers.ipc.sendAgain(grant, to, message, labels),
    )
  }

  #receive(call: PastCall, { from }: { readonly from?: string }): void {
    if (this.#included.mailboxes(call.seq)) return
    const found = this.#gate.again(whose(call), 'ipc.receive', [from ?? '*'], (grant) =>
      this.#drivers.ipc.receiveAgain(grant, from),
    )
    if (!found) throw new SyscallError('ENOENT', 'the message that was received does not lie in the mailbox')
  }
}

const whose = ({ process, payload }: PastCall) => ({ pid: process.pid, agent: process.name, payload })
