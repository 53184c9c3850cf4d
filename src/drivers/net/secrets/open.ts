/** The option `secrets`, read when the kernel starts: whatever could never be used, or be used in the wrong place, refuses the start. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { KernelError, SyscallError } from '../../../errors.ts'
import { limits } from '../../../limits.ts'
import { parseUrl } from '../url.ts'
import { type SecretPlace, secretNamePattern } from './placeholders.ts'

/** One secret: its value from exactly one of `value`, `env` and `file`, and where it may go. */
export interface SecretOption {
  /** The value itself, or a function that is asked for it at every use. */
  readonly value?: string | (() => string | Promise<string>)
  /** A variable of the application's environment, read when the kernel starts. */
  readonly env?: string
  /** A file of the host, read when the kernel starts and again at every use; no mount shows it. */
  readonly file?: string
  /** Scheme, host and port of each server that may get it, such as `https://api.github.com`. */
  readonly origins: readonly string[]
  /** The parts of a request in which it may stand; `['header']` by default. */
  readonly in?: readonly SecretPlace[]
}

export type SecretOptions = Readonly<Record<string, SecretOption>>

/** A secret as the network's driver uses it. */
export interface SecretSource {
  readonly name: string
  readonly origins: readonly string[]
  readonly places: readonly SecretPlace[]
  /** Known since the start; undefined for one that only a function tells. */
  readonly first: string | undefined
  /** @throws whatever its source throws; KernelError for a value that is not sound. Neither says the value */
  readonly read: () => string | Promise<string>
}

/**
 * @param hide is told of each file before it is read
 * @throws KernelError EINVAL that names the secret, and never shows a value
 */
export function openSecrets(
  options: SecretOptions,
  hide: (file: string) => void = () => {},
): readonly SecretSource[] {
  const names = Object.keys(options)
  if (names.length > limits.secretsMax)
    throw new KernelError('EINVAL', `${names.length} secrets, at most ${limits.secretsMax} fit`)
  return names.map((name) => openSecret(name, options[name], hide))
}

function openSecret(
  name: string,
  option: SecretOption | undefined,
  hide: (file: string) => void,
): SecretSource {
  if (!secretNamePattern.test(name))
    throw new KernelError(
      'EINVAL',
      `a secret cannot be called \`${name.slice(0, 80)}\`: its name is A-Z, then up to 63 of A-Z, 0-9 and _`,
    )
  const refuse = (why: string): KernelError => new KernelError('EINVAL', `secret \`${name}\`: ${why}`)
  const { value, env, file, origins = [], in: places = ['header'] } = option ?? {}
  if ([value, env, file].filter((each) => each !== undefined).length !== 1)
    throw refuse('give exactly one of `value`, `env` and `file`')
  if (origins.length === 0)
    throw refuse(
      '`origins` is empty, so it could go nowhere; name a server, such as `https://api.github.com`',
    )
  if (places.length === 0) throw refuse('`in` is empty, so it could stand nowhere')
  const sound = (text: unknown): string => {
    const problem = valueProblem(text)
    if (problem !== undefined) throw refuse(problem)
    return String(text)
  }
  const named = { name, origins: origins.map((text) => readOrigin(text, refuse)), places: [...places] }
  if (typeof value === 'function')
    return { ...named, first: undefined, read: async () => sound(await value()) }
  if (file !== undefined) {
    const read = (): string => sound(readSecretFile(file, hide, refuse))
    return { ...named, first: read(), read }
  }
  const given = env === undefined ? value : process.env[env]
  if (given === undefined) throw refuse(`the environment has no variable \`${env}\``)
  const first = sound(given)
  return { ...named, first, read: () => first }
}

/** Short or repeated texts would be found in answers by chance, or by trying; others would break a header or be respelt on the way. */
function valueProblem(text: unknown): string | undefined {
  if (typeof text !== 'string') return 'its value is not a text'
  if (text.length < limits.secretLengthMin || text.length > limits.secretLengthMax)
    return `its value has ${text.length} characters; from ${limits.secretLengthMin} to ${limits.secretLengthMax} are accepted, since a shorter one could be found out by trying`
  if (!/^[\x20-\x7e]+$/.test(text) || text.trim() !== text)
    return 'its value has a line break, a control character, a blank at its ends or a character beyond ASCII, which a header cannot carry'
  if (new Set(text).size < limits.secretVarietyMin)
    return `its value has fewer than ${limits.secretVarietyMin} different characters; that is no secret`
  return undefined
}

/** One spelling for one server: the one that the kernel compares with. */
function readOrigin(text: string, refuse: (why: string) => KernelError): string {
  const shown = `\`${text.slice(0, 80)}\``
  if (text.includes('*')) throw refuse(`origin ${shown} has a wildcard; name each server`)
  let origin: string
  try {
    origin = new URL(parseUrl(text).resource).origin
  } catch (error) {
    if (error instanceof SyscallError) throw refuse(`origin ${shown} is not sound: ${error.message}`)
    throw error
  }
  if (origin !== text) throw refuse(`origin ${shown} is scheme, host and port alone; write \`${origin}\``)
  return origin
}

/** Without one line break at its end, which editors and `echo` leave there. */
function readSecretFile(
  file: string,
  hide: (file: string) => void,
  refuse: (why: string) => KernelError,
): string {
  let descriptor: number | undefined
  try {
    hide(file)
    // A pipe or device in its place must not stall the kernel.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!fstatSync(descriptor).isFile()) throw refuse(`\`${file}\` is not a regular file`)
    const bytes = Buffer.alloc(limits.secretLengthMax + 3)
    const length = readSync(descriptor, bytes, 0, bytes.length, 0)
    return bytes.toString('utf8', 0, length).replace(/\r?\n$/, '')
  } catch (error) {
    if (error instanceof KernelError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : 'no reason given'
    throw refuse(`file \`${file}\` cannot be read (${code})`)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
