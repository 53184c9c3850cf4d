/** Finds the guest's line of a divergence: the process is repeated once more, and asked where it stands at that call. */
import type { Divergence, Place } from './divergence.ts'
import { type Diverged, repeat } from './repetition.ts'

/** @returns undefined where no frame of agent code is known */
export async function placeOf(
  { divergence, lastCall, stack: failed }: Diverged,
  parts: Parameters<typeof repeat>[0],
): Promise<Place | undefined> {
  const { source, process } = parts
  const call = isMade(divergence) ? divergence.call : lastCall
  const stack = failed ?? (await stackOf(call ?? 0, parts))
  const frames = stack.split('\n').flatMap((line) => /^\s+at (?<frame>.+)$/.exec(line)?.groups?.frame ?? [])
  if (frames.length === 0) return undefined
  const at = failed !== undefined || isMade(divergence) ? 'here' : 'last'
  const program = process.spawn?.program
  if (program === undefined) return { at, stack: frames }
  const line = frames.map((frame) => lineIn(frame, program.filename)).find((found) => found !== undefined)
  if (line === undefined) return { at, stack: frames }
  const text = source.payloads(new Set([program.text.hash])).get(program.text.hash)?.text
  return { at, stack: frames, line, text: (text ?? '').split('\n')[line - 1]?.trim().slice(0, 200) ?? '' }
}

const isMade = ({ kind }: Divergence): boolean => kind === 'call' || kind === 'extra'

async function stackOf(call: number, parts: Parameters<typeof repeat>[0]): Promise<string> {
  if (call === 0) return ''
  const { trace = '' } = await repeat({ ...parts, trace: call })
  return trace
}

/** A frame is such as `main (agent.js:3:14)`; what agent code compiles itself is named otherwise. */
function lineIn(frame: string, filename: string): number | undefined {
  const at = frame.lastIndexOf(`${filename}:`)
  const line = at < 0 ? undefined : /^(\d+):\d+\)?$/.exec(frame.slice(at + filename.length + 1))?.[1]
  return line === undefined ? undefined : Number(line)
}
