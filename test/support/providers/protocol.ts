/** What each provider's protocol is to the server: how a request is read, and how what a model says is written. */
import { z } from 'zod'
import type { Json } from '../../../src/index.ts'
import type { Says } from './script.ts'

export interface Protocol {
  /** Where it is asked, by POST. */
  readonly path: string
  /** @throws ZodError where no official client would send this */
  read(body: Json): Request
  /** A failure in the provider's own form. */
  error(status: number, message: string): Json
}

export interface Request {
  readonly model: string
  readonly stream: boolean
  /** Turns of the model that the request's messages show. */
  readonly turn: number
  /** The answer as one document. */
  whole(says: Says): Json
  /** The answer as server-sent events, each a whole frame. */
  frames(says: Says): readonly string[]
}

/** Ids differ from request to request and are the same in every run of a test. */
let made = 0
export function nextId(prefix: string): string {
  made += 1
  return `${prefix}_${String(made).padStart(6, '0')}`
}

/** The time that every answer has been made at, in seconds. */
export const createdAt = 1_790_000_000

/** About one token for four characters, which is what tests can count on. */
export const tokensOf = (value: unknown): number => Math.ceil((JSON.stringify(value) ?? '').length / 4)

/** In the pieces in which a model speaks; no letter is cut. */
export const piecesOf = (text: string): readonly string[] => text.match(/[\s\S]{1,7}/gu) ?? []

export const frame = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`

/** A call's id tells its turn, so that a conversation can be counted where it is not kept in messages. */
export const callId = (turn: number, index: number): string => `call_${turn}_${index}`

export const turnOfCall = (id: string): number => Number(/^call_(\d+)_/.exec(id)?.[1] ?? -1)

/** A tool as clients declare it, of which only the name matters here. */
export const loose = z.looseObject({})
