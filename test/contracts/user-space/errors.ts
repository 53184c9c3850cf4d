/** How agent code fails: its own error with its own lines, and nothing of the host. */
import { describe, expect, test } from 'vitest'
import type { Exit } from '../../../src/index.ts'
import { exitValue, main } from '../../support/kernel.ts'
import type { Place } from '../user-space.ts'

/** Everything that a guest or its caller is shown must name agent code only. */
function expectNoHost(exit: Exit): void {
  const shown = JSON.stringify({ ...exit, usage: undefined })
  expect(shown).not.toMatch(/gatehouse:|isolated-vm|node:|file:\/|node_modules|\/src\//)
  expect(shown).not.toContain(process.cwd())
}

/** Programs that throw what is hard to look at. */
const hostile: Readonly<Record<string, string>> = {
  'a number': 'throw 7',
  undefined: 'throw undefined',
  'a symbol': 'throw Symbol("s")',
  'an object whose toString throws': 'throw { toString() { throw 1 } }',
  'an object with getters that throw': 'throw { get a() { throw 1 }, get message() { throw 2 } }',
  'an error whose message throws': `const e = new Error('x')
    Object.defineProperty(e, 'message', { get() { throw 1 } }); throw e`,
  'an error whose stack throws': `const e = new Error('x')
    Object.defineProperty(e, 'stack', { get() { throw 1 } }); throw e`,
  'an error whose cause throws': `const e = new Error('x')
    Object.defineProperty(e, 'cause', { get() { throw 1 } }); throw e`,
  'an error whose cause is hard to look at': `const e = new Error('x')
    e.cause = new Proxy(new Error('y'), { get() { throw 1 } }); throw e`,
  'an error whose name is an object': `const e = new Error('x')
    Object.defineProperty(e, 'name', { get() { return { toString() { throw 1 } } } }); throw e`,
  'a revoked proxy': 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy',
  'a proxy that throws': 'throw new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 } })',
  'an error with a lone surrogate': 'throw new Error("\\ud800")',
  'an error cut in half of a character': 'throw new Error("x".repeat(3_999) + "😀".repeat(9))',
  'a null-prototype object': 'throw Object.create(null)',
}

export function errorsContract({ run, kernel }: Place): void {
  describe('hostile', () => {
    test.each(Object.entries(hostile))('%s thrown by a program ends it as failed', async (_name, body) => {
      for (const source of [main(body), `${body}\nexport default () => 1`]) {
        const exit = await run(source)
        expect(exit).toMatchObject({ status: 'failed', error: { code: 'EFAULT' } })
        expect(exit.error?.message).not.toBe('')
        expectNoHost(exit)
      }
    })

    test('a getter on a thrown value that never returns is ended by the CPU budget', async () => {
      const exit = await run(main('throw { get message() { for (;;); }, get a() { for (;;); } }'), {
        budget: { cpu: '200ms' },
      })
      expect(exit.status).not.toBe('exited')
      expectNoHost(exit)
    })
  })

  test('an error shows its name, message and the lines of agent code only', async () => {
    const exit = await run(`const fail = () => {
  throw new RangeError('too far')
}
export default async () => {
  await null
  fail()
}`)
    expect(exit).toMatchObject({
      status: 'failed',
      error: { code: 'EFAULT', name: 'RangeError', message: 'RangeError: too far' },
    })
    expect(exit.error?.stack).toContain('program.js:2:')
    expect(exit.error?.stack).toContain('program.js:6:')
    expectNoHost(exit)
  })

  test('an error shows what it was caused by, and has its code', async () => {
    const exit = await run(
      main(`try { await fs.read('/nowhere') } catch (cause) {
        throw new Error('no data', { cause: new Error('no connection', { cause }) }) }`),
    )
    expect(exit).toMatchObject({
      status: 'failed',
      error: {
        code: 'ENOENT',
        message:
          'Error: no data; caused by: no connection; caused by: ENOENT: fs.read `/nowhere`: no such file or folder',
      },
    })
    const endless = await run(main(`const e = new Error('round'); e.cause = e; throw e`))
    expect(endless.error?.message).toBe('Error: round')
    expectNoHost(exit)
  })

  test('an error while the module is evaluated shows its line', async () => {
    const exit = await run('\n\nthrow new TypeError("at the top")\n')
    expect(exit.error).toMatchObject({ name: 'TypeError', message: 'TypeError: at the top' })
    expect(exit.error?.stack).toContain('program.js:3:')
    expectNoHost(exit)
  })

  test('a refused call in user space has an errno, a message and a stack without the host', async () => {
    const exit = await run(
      main(`try { await fs.read('/nowhere') } catch (error) {
        return [error.code, error.message, error.name, error instanceof Error, String(error.stack)] }`),
    )
    const [code, message, name, isError] = exitValue(exit) as string[]
    expect([code, name, isError]).toEqual(['ENOENT', 'SyscallError', true])
    expect(message).toBe('ENOENT: fs.read `/nowhere`: no such file or folder')
    expectNoHost(exit)
  })

  test('a rejection that nobody handles ends the process, with its error', async () => {
    const exit = await run(main(`Promise.reject(new Error('lost')); await new Promise(() => {})`))
    expect(exit).toMatchObject({ status: 'failed', error: { message: 'Error: lost' } })
    expectNoHost(exit)
  })

  test('a program that is no JavaScript is refused with its line', async () => {
    const exit = await run('export default () => {\n  return 1 +\n}\n')
    expect(exit).toMatchObject({ status: 'failed', error: { name: 'SyntaxError' } })
    expect(`${exit.error?.message}\n${exit.error?.stack}`).toContain('program.js:3')
    expectNoHost(exit)
  })

  test('an error of one process is nothing to the next', async () => {
    await run(main('throw 1'))
    expect(exitValue(await run(main('return 1')))).toBe(1)
    expect(kernel().evidence.verify()).toMatchObject({ ok: true })
  })
}
