/** Values of options, read once and refused with what was meant. */
import { InvalidArgumentError } from 'commander'
import { readAgentName } from '../config/options.ts'
import type { SecretOption } from '../drivers/net/secrets/open.ts'
import { secretPlaces } from '../drivers/net/secrets/placeholders.ts'
import { KernelError, SyscallError } from '../errors.ts'
import { asJson, type Json, type JsonObject } from '../json.ts'
import { type Labels, readLabels } from '../labels.ts'
import { didYouMean } from '../policy/suggest.ts'
import { parseDuration } from '../policy/units.ts'
import { UsageError } from './failure.ts'

/** A host folder that agents see. */
export interface MountOption {
  readonly host: string
  readonly guest: string
  readonly mode: 'ro' | 'rw'
  /** What everything read there carries. */
  readonly labels: Labels
}

type Parser<T> = (text: string, before: T | undefined) => T

/** An option that is given once; a second value would silently undo the first. */
export const once =
  <T>(read: (text: string) => T): Parser<T> =>
  (text, before) => {
    if (before !== undefined) throw new InvalidArgumentError('it is given twice')
    return translated(() => read(text))
  }

/** An option that may be given several times. */
export const each =
  <T>(read: (text: string) => T): Parser<readonly T[]> =>
  (text, before = []) => [...before, translated(() => read(text))]

export const text = (value: string): string => {
  if (value === '') throw new InvalidArgumentError('it is empty')
  return value
}

/** @returns the duration as it was written, such as `30s` */
export function duration(value: string): string {
  parseDuration(value)
  return value
}

/** A time (ISO 8601, UTC unless it says otherwise), or how long ago, such as `2h`. @returns ms since 1970 */
export const moment =
  (now: () => number) =>
  (value: string): number => {
    if (/^\d+(\.\d+)?[a-zA-Z]+$/.test(value)) return now() - parseDuration(value)
    const [, day, time = 'T00:00', zone = 'Z'] =
      /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(value) ?? []
    const found = Date.parse(`${day}${time}${zone}`)
    if (day === undefined || Number.isNaN(found))
      throw new InvalidArgumentError(
        'write a time such as 2026-07-24T10:15:00Z or 2026-07-24, or how long ago, such as 30m or 2h',
      )
    return found
  }

/** A position in a record. */
export function entryNumber(value: string): number {
  if (/^(0|[1-9]\d{0,14})$/.test(value)) return Number(value)
  throw new UsageError(
    `\`${value}\` is not the number of an entry; write a whole number from 0 on, as \`gatehouse evidence timeline\` shows it`,
  )
}

export const agentName = (value: string): string => readAgentName(value)

export function count(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('write a whole number from 1 on')
  return Number(value)
}

/** JSON where it parses as JSON, otherwise the text itself. */
export function argument(value: string): Json {
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch {
    return asJson(value, 'value')
  }
  return asJson(parsed, 'value')
}

/** @throws InvalidArgumentError for what is not JSON: a text that is taken as it stands would be another value */
export function json(value: string): Json {
  try {
    return asJson(JSON.parse(value), 'value')
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new InvalidArgumentError(`it is not JSON; a text is written as \`'"text"'\``)
  }
}

export function jsonObject(value: string): JsonObject {
  const given = argument(value)
  if (given !== null && typeof given === 'object' && !Array.isArray(given)) return given as JsonObject
  throw new InvalidArgumentError('write a JSON object, such as `{"name": "value"}`')
}

/** One of a closed set. */
export const oneOf =
  <T extends string>(choices: readonly T[]): ((value: string) => T) =>
  (value) => {
    const found = choices.find((choice) => choice === value)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`there are ${choices.join(', ')}${didYouMean(value, choices)}`)
  }

const modes = ['ro', 'rw'] as const

/** Reads `HOST:GUEST[:ro|rw][,label=NAME]…`; the host's path may hold colons. */
export function mount(value: string): MountOption {
  const form =
    'write HOST:GUEST, HOST:GUEST:ro or HOST:GUEST:rw, such as `./data:/workspace:ro`, and labels after it, such as `,label=confidential`'
  const parts = /^(?<host>.+?):(?<guest>\/[^:]*?)(?::(?<mode>[^:/,]*))?(?<rest>(?:,[a-z]+=[^,]*)*)$/su.exec(
    value,
  )?.groups
  if (parts?.host === undefined || parts.guest === undefined) throw new InvalidArgumentError(form)
  const mode = modes.find((known) => known === (parts.mode ?? 'ro'))
  if (mode === undefined)
    throw new InvalidArgumentError(`\`${parts.mode}\` is no mode; there are ro (the default) and rw`)
  const given = (parts.rest ?? '').split(',').filter((part) => part !== '')
  const odd = given.find((part) => !part.startsWith('label='))
  if (odd !== undefined) throw new InvalidArgumentError(`\`${odd}\` is no part of a mount; ${form}`)
  const labels = readLabels(
    given.map((part) => part.slice('label='.length)),
    'label',
  )
  return { host: parts.host, guest: parts.guest, mode, labels }
}

/** A secret and where it may go; its value is never on the command line, where every user of the machine can see it. */
export interface SecretArgument {
  readonly name: string
  readonly option: SecretOption
}

/** Reads `NAME=env:VARIABLE,origin=URL` or `NAME=file:PATH,origin=URL`; more origins and `in=header+body+query` may follow. */
export function secret(value: string): SecretArgument {
  const parts = /^(?<name>\w+)=(?<kind>env|file):(?<source>.+?)(?<rest>(?:,(?:origin|in)=[^,]*)*)$/su.exec(
    value,
  )
  const { name, kind, source, rest = '' } = parts?.groups ?? {}
  if (name === undefined || source === undefined || rest === '')
    // Commander would show what was given, and that may hold a value.
    throw new UsageError(
      '--secret is not sound: write NAME=env:VARIABLE,origin=URL or NAME=file:PATH,origin=URL, such as `GITHUB_TOKEN=env:GH_TOKEN,origin=https://api.github.com`; a value itself does not belong on a command line',
    )
  const given = (key: string): readonly string[] =>
    rest
      .split(',')
      .filter((part) => part.startsWith(`${key}=`))
      .map((part) => part.slice(key.length + 1))
  const places = given('in').flatMap((text) => text.split('+'))
  const option = { [kind === 'env' ? 'env' : 'file']: source, origins: given('origin') }
  if (places.length === 0) return { name, option }
  return { name, option: { ...option, in: places.map(oneOf(secretPlaces)) } }
}

/** Commander shows an InvalidArgumentError beside the option's name. */
function translated<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof KernelError || error instanceof SyscallError)
      throw new InvalidArgumentError(error.message)
    throw error
  }
}
