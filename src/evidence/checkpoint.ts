/**
 * What is signed about a log: a checkpoint says whose log, how many entries, and the root of their tree (C2SP
 * tlog-checkpoint); an endorsement says which key signs next. An auditor can read this file alone.
 */
import type { TreeHead } from './merkle.ts'

export interface Checkpoint extends TreeHead {
  /** Names the log for ever; no other log may have it. */
  readonly origin: string
}

const rootBytes = 32

/** The text that is signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
}

/** @returns undefined for a text that is none; lines after the third are not looked at */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const [origin = '', count = '', encoded = '', ...rest] = text.split('\n')
  const root = Buffer.from(encoded, 'base64')
  const isSound =
    origin !== '' &&
    /^(0|[1-9]\d{0,15})$/.test(count) &&
    Number.isSafeInteger(Number(count)) &&
    root.length === rootBytes &&
    root.toString('base64') === encoded &&
    rest.length > 0
  return isSound ? { origin, size: Number(count), root } : undefined
}

/**
 * What the key before signs about the next; no checkpoint reads so.
 * @param verifier of the next key, as text
 */
export const endorsementText = (origin: string, verifier: string): string =>
  `gatehouse key endorsement\n${origin}\n${verifier}\n`
