/** Finds the guest's line of a divergence: the process is repeated once more, and asked where it stands at that call. */
import { authorsFrame, placeInFrame } from '../places.ts'
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
  const recorded = process.spawn?.program
  if (recorded === undefined) return { at, stack: frames }
  const { filename, map } = recorded
  const hashes = [recorded.text, map].flatMap((ref) => ref?.hash ?? [])
  const texts = source.payloads(new Set(hashes))
  const program = { filename, map: map === undefined ? undefined : texts.get(map.hash)?.text }
  const shown = frames.map((frame) => authorsFrame(program, frame))
  const own = frames.find((frame) => placeInFrame(program, frame) !== undefined)
  const place = own === undefined ? undefined : placeInFrame(program, own)
  const ran = own === undefined ? undefined : placeInFrame({ filename }, own)
  if (place === undefined || ran === undefined) return { at, stack: shown }
  const text = texts.get(recorded.text.hash)?.text?.split('\n')[ran.line - 1]?.trim().slice(0, 200) ?? ''
  const file = program.map === undefined ? {} : { file: place.file }
  return { at, stack: shown, line: place.line, ...file, text }
}

const isMade = ({ kind }: Divergence): boolean => kind === 'call' || kind === 'extra'

async function stackOf(call: number, parts: Parameters<typeof repeat>[0]): Promise<string> {
  if (call === 0) return ''
  const { trace = '' } = await repeat({ ...parts, trace: call })
  return trace
}
