/** The stubs that user space has for syscalls, as the bootstrap makes them of the table's rows. */
import type { Syscall } from '../../src/syscalls/row.ts'
import { type SyscallName, syscallNames, syscalls } from '../../src/syscalls.ts'
import { type Argument, argumentsOf } from './json-schema.ts'

interface Parameter {
  readonly name: string
  readonly type: string
  readonly optional: boolean
  readonly meaning: string
}

export interface Stub {
  readonly row: Syscall
  /** `fs` of `fs.read`. */
  readonly family: string
  /** `read` of `fs.read`. */
  readonly verb: string
  readonly parameters: readonly Parameter[]
  /** What the object after the parameters may hold. */
  readonly options: readonly Argument[]
}

/** Parameters that the stub turns into other arguments, with those arguments. */
const translated: Readonly<
  Record<string, Omit<Parameter, 'name' | 'optional'> & { into: readonly string[] }>
> = {
  data: {
    into: ['text', 'base64'],
    type: 'string | Uint8Array',
    meaning: 'text, which is stored as UTF-8, or bytes',
  },
  program: {
    into: ['source'],
    type: 'string | ((...args: never[]) => unknown)',
    meaning: 'the text of an ES module, or a function that uses nothing outside itself',
  },
}

export const stubs: readonly Stub[] = syscallNames.flatMap((name) => stubOf(name) ?? [])

/** @returns undefined for a call that user space makes by `sys` alone */
export function stubOf(name: SyscallName): Stub | undefined {
  const row: Syscall = syscalls[name]
  if (row.params === undefined) return undefined
  const given = argumentsOf(row)
  const taken = row.params.flatMap((param) => translated[param]?.into ?? [param])
  const [family = '', verb = ''] = name.split('.')
  return {
    row,
    family,
    verb,
    parameters: row.params.map((param) => parameterOf(name, param, given)),
    options: given.filter((argument) => !taken.includes(argument.name)),
  }
}

function parameterOf(call: string, name: string, given: readonly Argument[]): Parameter {
  const instead = translated[name]
  if (instead !== undefined) return { name, optional: false, type: instead.type, meaning: instead.meaning }
  const argument = given.find((one) => one.name === name)
  if (argument === undefined)
    throw new Error(`the stub of ${call} names \`${name}\`, which its schema does not have`)
  return argument
}
