/** What the calls of a run bring in and send out, for the question where a value has been seen. */
import type { Json } from '../json.ts'
import { joinLabels, type Labels } from '../labels.ts'
import type { Process } from '../proc/process.ts'
import type { Drivers } from '../syscalls/row.ts'
import type { Admitted } from './admission.ts'

/** @returns the arguments of a call that leaves the kernel, bytes as the text that they are */
export function sentOf(args: Json, isExternal: boolean): Json | undefined {
  if (!isExternal) return undefined
  const base64 = args !== null && typeof args === 'object' && 'base64' in args ? args.base64 : undefined
  return typeof base64 === 'string' ? [args, Buffer.from(base64, 'base64').toString('utf8')] : args
}

/** What a result may have come of: of what is made of what it was sent, all that its process carries. */
export const suspectOf = (
  { row, stream }: Pick<Admitted, 'row' | 'stream'>,
  labels: Labels,
  process: Pick<Process, 'labels'>,
): Labels => (row.echoes || stream?.ends.isEcho ? joinLabels(labels, process.labels) : labels)

/**
 * Whether a result was made by nobody in here: it comes from a tool, the network, or a folder of the host that no
 * guest can write to. Files, messages and a model's replies are what guests made of them, and are never trusted.
 */
export function isForeign(
  { row, external, args, stream }: Pick<Admitted, 'row' | 'external' | 'args' | 'stream'>,
  drivers: Drivers,
  process: Process,
): boolean {
  if (stream !== undefined) return stream.ends.isForeign ?? false
  if (!external || row.echoes) return false
  const { path } = args as { readonly path?: unknown }
  // Of calls that leave the kernel only those on files have a path.
  return typeof path !== 'string' || drivers.vfs.isFixed(drivers.treeOf(process), path)
}
