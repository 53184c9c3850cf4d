import { Session } from 'node:inspector'
import { expect, test } from 'vitest'
import { placesOf } from '../../src/govern/location.ts'

const unknown = { name: 'db', at: { line: 2, column: 0 }, members: [] }

test('an attached debugger is not disturbed: nothing pauses, and it still works afterwards', () => {
  const session = new Session()
  session.connect()
  try {
    const paused: unknown[] = []
    session.on('Debugger.paused', (event) => paused.push(event))
    session.post('Debugger.enable')
    session.post('Debugger.setPauseOnExceptions', { state: 'all' })
    const fn = (): unknown => db
    expect(placesOf(fn, String(fn), [{ ...unknown, at: { line: 1, column: 6 } }])[0]?.where).toMatch(
      /^test\/govern\/location\.test\.ts:\d+$/,
    )
    expect(paused).toEqual([])
    let answer: unknown
    session.post('Runtime.evaluate', { expression: '6 * 7' }, (_error, { result }) => {
      answer = result.value
    })
    expect(answer).toBe(42)
  } finally {
    session.disconnect()
  }
})

declare const db: unknown

test('a function that no script holds is located by its own lines', () => {
  const native = placesOf(Math.max, String(Math.max), [unknown])
  expect(native).toEqual([{ where: 'line 2 of the function' }])
})

test('nothing is left among the globals', () => {
  const before = Reflect.ownKeys(globalThis)
  placesOf(() => db, '() => db', [unknown])
  expect(Reflect.ownKeys(globalThis)).toEqual(before)
})
