/** The file calls: text or bytes at a path of the process's own tree. */
import { z } from 'zod'
import { type Content, toBytes } from '../drivers/vfs/content.ts'
import type { Written } from '../drivers/vfs/driver.ts'
import { normalizePath } from '../drivers/vfs/path.ts'
import { SyscallError } from '../errors.ts'
import { joinLabels, noLabels, withoutLabels } from '../labels.ts'
import type { Process } from '../proc/process.ts'
import { telling } from './learns.ts'
import { type Call, type Drivers, syscall } from './row.ts'

const path = z.string().transform(normalizePath).meta({ description: 'absolute path in the process’s tree' })
const offset = z.int().nonnegative().optional().meta({ description: 'bytes to skip' })
const length = z.int().nonnegative().optional().meta({ description: 'bytes to read at most' })
const encoding = z
  .enum(['text', 'bytes'])
  .optional()
  .meta({ description: 'what is given back; text by default' })
const data = z.union([
  z.strictObject({ path, text: z.string().meta({ description: 'content as text (UTF-8)' }) }),
  z.strictObject({ path, base64: z.base64().meta({ description: 'content as bytes' }) }),
])
const onlyPath = z.strictObject({ path })

const bytesOf = (args: { text: string } | { base64: string }): number =>
  'text' in args ? Buffer.byteLength(args.text) : Math.floor((args.base64.length * 3) / 4)

/** A part that the call left out is absent, not undefined. */
const given = ({
  path,
  offset,
  length,
}: {
  path: string
  offset: number | undefined
  length: number | undefined
}) => ({ path, ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) })

const external = ({ path }: { path: string }, drivers: Drivers, process: Process): boolean =>
  drivers.vfs.isExternal(drivers.treeOf(process), path)

/** The file that a write changes. */
const written = ({ path, ...content }: Content & { path: string }, added: boolean) => ({
  files: [{ path, becomes: { bytes: toBytes(content), added } }],
})

const notWhole =
  'a rule about what lies below, or the lack of one, keeps the folder from being moved or removed as a whole; do it file by file'

const permitsBelow = (
  { name, policy }: Pick<Process, 'name' | 'policy'>,
  actions: readonly string[],
  folder: string,
): boolean => policy.permitsBelow(name, actions, folder)

const takesWhole = (process: Process, from: string, to: string): boolean =>
  permitsBelow(process, ['fs.remove', 'fs.read'], from) && permitsBelow(process, ['fs.write'], to)

/** @throws SyscallError EPERM where all below a folder is removed, and that may hold what has to stay */
export function assertWholeRemoval(
  { path, recursive }: { readonly path: string; readonly recursive?: boolean | undefined },
  process: Pick<Process, 'name' | 'policy'>,
): void {
  if (recursive && !permitsBelow(process, ['fs.remove'], path)) throw new SyscallError('EPERM', notWhole)
}

/** What a process writes carries what the process carries, but for a text that was released; its name always does. */
const writtenBy = ({ process }: Call, content: Content): Written => {
  const naming = process.labels
  const released = 'text' in content ? process.releases.useText(content.text) : noLabels
  return { labels: withoutLabels(naming, released), naming }
}

export const fsCalls = {
  'fs.read': syscall({
    summary: 'Reads a file, whole or in part, as text (UTF-8) or bytes.',
    args: z.strictObject({ path, offset, length, encoding }),
    params: ['path'],
    bytes: true,
    returns: 'string',
    cost: 1,
    judge: ({ path, offset, length }) => [
      { action: 'fs.read', resource: path, args: given({ path, offset, length }) },
    ],
    external,
    invoke: ({ path, ...options }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      return telling(call, tree, [path], 'content', () => vfs.read(call.grant, tree, path, options))
    },
  }),
  'fs.write': syscall({
    summary: 'Writes a file, in place of what was there.',
    args: data,
    params: ['path', 'data'],
    returns: 'null',
    cost: 1,
    judge: (args) => [
      { action: 'fs.write', resource: args.path, args: { path: args.path, bytes: bytesOf(args) } },
    ],
    stakes: (args) => written(args, false),
    external,
    invoke: ({ path, ...content }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      const written = writtenBy(call, content)
      return telling(call, tree, [path], 'folder', () => vfs.write(call.grant, tree, path, content, written))
    },
  }),
  'fs.append': syscall({
    summary: 'Adds to the end of a file; the file begins where there was none.',
    args: data,
    params: ['path', 'data'],
    returns: 'null',
    cost: 1,
    judge: (args) => [
      { action: 'fs.append', resource: args.path, args: { path: args.path, bytes: bytesOf(args) } },
    ],
    stakes: (args) => written(args, true),
    external,
    invoke: ({ path, ...content }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      const written = writtenBy(call, content)
      return telling(call, tree, [path], 'folder', () => vfs.append(call.grant, tree, path, content, written))
    },
  }),
  'fs.list': syscall({
    summary: 'Lists a folder: name and type of each entry.',
    args: onlyPath,
    params: ['path'],
    returns: "readonly { readonly name: string; readonly type: 'file' | 'folder' }[]",
    cost: 1,
    judge: ({ path }) => [{ action: 'fs.list', resource: path, args: { path } }],
    external,
    invoke: ({ path }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      return telling(call, tree, [path], 'content', () => vfs.list(call.grant, tree, path))
    },
  }),
  'fs.stat': syscall({
    summary: 'Type, size in bytes and time of the last change (ms since 1970) of a file or folder.',
    args: onlyPath,
    params: ['path'],
    returns: "{ readonly type: 'file' | 'folder'; readonly size: number; readonly modified: number }",
    cost: 1,
    judge: ({ path }) => [{ action: 'fs.stat', resource: path, args: { path } }],
    external,
    invoke: ({ path }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      return telling(call, tree, [path], 'content', () => vfs.stat(call.grant, tree, path))
    },
  }),
  'fs.mkdir': syscall({
    summary: 'Makes a folder; the one above has to exist.',
    args: onlyPath,
    params: ['path'],
    returns: 'null',
    cost: 1,
    judge: ({ path }) => [{ action: 'fs.mkdir', resource: path, args: { path } }],
    external,
    invoke: ({ path }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      const { labels } = call.process
      return telling(call, tree, [path], 'names', () => vfs.mkdir(call.grant, tree, path, labels))
    },
  }),
  'fs.remove': syscall({
    summary: 'Removes a file or an empty folder; with `recursive` a folder and all below it.',
    args: z.strictObject({
      path,
      recursive: z.boolean().optional().meta({ description: 'with all that is in it' }),
    }),
    params: ['path'],
    returns: 'null',
    cost: 1,
    check: (args, _drivers, process) => assertWholeRemoval(args, process),
    judge: ({ path }) => [{ action: 'fs.remove', resource: path, args: { path } }],
    stakes: ({ path }) => ({ files: [{ path, becomes: 'nothing' }] }),
    external,
    invoke: ({ path, recursive = false }, call, { vfs, treeOf }) => {
      const tree = treeOf(call.process)
      const { labels } = call.process
      return telling(call, tree, [path], 'names', () =>
        vfs.remove(call.grant, tree, path, { recursive, labels }),
      )
    },
  }),
  'fs.move': syscall({
    summary:
      'Moves or renames within one mount; judged as fs.remove and fs.read of the source and fs.write of the target.',
    args: z.strictObject({ from: path, to: path }),
    params: ['from', 'to'],
    returns: 'null',
    cost: 1,
    judge: ({ from, to }) => [
      { action: 'fs.remove', resource: from, args: { path: from } },
      { action: 'fs.read', resource: from, args: { path: from } },
      { action: 'fs.write', resource: to, args: { path: to } },
    ],
    stakes: ({ from, to }, _drivers, process) => ({
      files: [
        { path: from, becomes: 'moved' },
        { path: to, becomes: { movedFrom: from } },
      ],
      ...(!takesWhole(process, from, to) && { notFolders: notWhole }),
    }),
    external: ({ from }, drivers, process) => external({ path: from }, drivers, process),
    invoke: ({ from, to }, call, { vfs, treeOf }) => {
      const { process, grant } = call
      // A label that a rule gives to a place does not stay behind.
      const labels = joinLabels(process.labels, call.given)
      const tree = treeOf(process)
      const whole = takesWhole(process, from, to)
      return telling(call, tree, [from, to], 'names', () =>
        vfs.move(grant, tree, from, to, whole ? { labels } : { notFolders: notWhole, labels }),
      )
    },
  }),
} as const
