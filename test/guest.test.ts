import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import vm from 'node:vm'
import ts from 'typescript'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { guestGlobalNames } from '../src/govern/guest-globals.ts'
import * as onHost from '../src/guest.ts'
import { ask, boot, exitValue, policyOf } from './support/kernel.ts'
import { programOf, typeErrors } from './support/type-check.ts'

const fixture = (name: string): string => join(import.meta.dirname, 'fixtures/guest', name)

describe('types', () => {
  test.each(['sound.ts', 'unsound.ts'])('%s compiles as it says under strict TypeScript', (name) => {
    expect(typeErrors(fixture(name))).toEqual([])
  })
})

async function portOf(server: Server): Promise<number> {
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** For each name, the names of what it holds. */
type Shape = Readonly<Record<string, readonly string[]>>

describe('what the types say is what is there', () => {
  let program: ts.Program
  const file = join(import.meta.dirname, '../src/guest.ts')

  beforeAll(() => {
    program = programOf(file)
  })

  const exportsOf = (): readonly ts.Symbol[] => {
    const checker = program.getTypeChecker()
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    return module === undefined ? [] : checker.getExportsOfModule(module)
  }
  const shapeOf = (type: ts.Type): readonly string[] =>
    type
      .getProperties()
      .map(({ name }) => name)
      .toSorted()
  const exportedType = (name: string): ts.Type => {
    const symbol = exportsOf().find((one) => one.name === name)
    if (symbol === undefined) throw new Error(`src/guest.ts exports no ${name}`)
    return program.getTypeChecker().getDeclaredTypeOfSymbol(symbol)
  }
  const typedDoors = (): Shape => {
    const checker = program.getTypeChecker()
    const values = exportsOf().filter(({ flags }) => flags & ts.SymbolFlags.Value)
    return Object.fromEntries(values.map((value) => [value.name, shapeOf(checker.getTypeOfSymbol(value))]))
  }
  /** Of the globals that are objects: what only some class says of its objects is the business of other types. */
  const typedObjects = (): Shape => {
    const checker = program.getTypeChecker()
    const objects = ['console', 'crypto', 'performance', 'navigator']
    const members = exportedType('WebGlobals')
      .getProperties()
      .filter(({ name }) => objects.includes(name))
    return Object.fromEntries(
      members.map((member) => [member.name, shapeOf(checker.getTypeOfSymbol(member))]),
    )
  }
  /** A program that gives the shape of what `object` has under `names`, their classes included. */
  const shapeIn = (object: string, names: string): string => `
    const own = (value) => value === null || value === Object.prototype ? []
      : [...Object.getOwnPropertyNames(value), ...own(Object.getPrototypeOf(value))].filter((key) => key !== 'constructor')
    const shape = {}
    for (const name of ${names}) shape[name] = typeof ${object}[name] === 'object' ? own(${object}[name]).sort() : []
    return shape`

  test('the module has exactly the doors that are typed, and each has exactly its functions', async () => {
    const source = `import * as guest from 'gatehouse/guest'\nexport default () => {${shapeIn('guest', 'Object.keys(guest)')}}`
    const exit = await boot().spawn({ source }).exit
    expect(exitValue(exit)).toEqual(typedDoors())
  })

  test('every function of a door can be called', async () => {
    const doors = Object.entries(typedDoors()).filter(([, names]) => names.length > 0)
    const names = doors.flatMap(([door, inside]) => inside.map((name) => `${door}.${name}`))
    expect(await ask(boot(), `return [${names.map((name) => `typeof ${name}`).join(', ')}]`)).toEqual(
      names.map(() => 'function'),
    )
  })

  test('a door of the module is the global of the same name', async () => {
    const names = Object.keys(typedDoors())
    const source = `import * as guest from 'gatehouse/guest'\nexport default (names) => names.filter((name) => guest[name] !== globalThis[name])`
    expect(exitValue(await boot().spawn({ source }, { args: [names] }).exit)).toEqual([])
  })

  test('the objects among the web-standard globals have exactly what is typed', async () => {
    const typed = typedObjects()
    const body = shapeIn('globalThis', JSON.stringify(Object.keys(typed)))
    expect(await ask(boot(), body)).toEqual(typed)
  })

  test('every global beyond the language is typed', () => {
    const language = new Set<unknown>(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)'))
    // V8 has a console of its own in every context.
    const beyond = guestGlobalNames.filter((name) => name === 'console' || !language.has(name))
    const web = exportedType('WebGlobals')
      .getProperties()
      .map(({ name }) => name)
    const typed = [...Object.keys(typedDoors()), ...web]
    expect(typed.toSorted()).toEqual(beyond.toSorted())
  })

  test('a response has what is typed', async () => {
    const port = await portOf(createServer((_request, response) => response.end('{}')))
    const policy = policyOf([{ id: 'web', effect: 'permit', action: ['net.fetch'], addresses: ['loopback'] }])
    const typed = shapeOf(exportedType('FetchResponse'))
    expect(typed).toContain('arrayBuffer')
    const names = await ask(
      boot({ policy }),
      `const response = await fetch('http://127.0.0.1:${port}/')
       return [response instanceof Response, args[0].filter((name) => !(name in response))]`,
      { args: [[...typed]] },
    )
    expect(names).toEqual([true, []])
  })

  test('a refused call rejects with what is typed', async () => {
    const body = `return fs.read('/mem/none').catch((error) => [error instanceof Error, error.name, error.code])`
    expect(await ask(boot(), body)).toEqual([true, 'SyscallError', 'ENOENT'])
  })
})

describe('on the host', () => {
  test('an agent’s file can be imported and taken apart, and awaited by accident', async () => {
    const { read } = onHost.fs
    expect(typeof read).toBe('function')
    expect(await onHost.tools).toBe(onHost.tools)
  })

  test.each([
    ['fs.read', () => onHost.fs.read('/a')],
    ['tools.announce', () => onHost.tools.announce({})],
    ['sys', () => onHost.sys('clock.time')],
    ['fetch', () => onHost.fetch('https://example.org/')],
    ['proc.on', () => onHost.proc.on('SIGTERM', 'ignore')],
    ['ipc.send', () => onHost.ipc.send('desk', null)],
  ])('%s says in one sentence where it exists', (name, use) => {
    expect(use).toThrow(
      new Error(
        `\`${name}\` exists in user space only; run the agent with \`gatehouse run\` or kernel.spawn`,
      ),
    )
  })

  test('nothing can be put into a door', () => {
    expect(() => Object.assign(onHost.fs, { read: () => 'a' })).toThrow(TypeError)
  })
})
