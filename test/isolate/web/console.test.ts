/** What console and performance have beside the plain methods. */
import { expect, test } from 'vitest'
import { claims, thrownBy } from '../../support/claims.ts'
import { boot, exitValue, main } from '../../support/kernel.ts'

test.each(['inline', 'cell'] as const)('console prints what each method says, %s', async (isolation) => {
  const kernel = boot({ isolation })
  const output: { readonly stream: string; readonly text: string }[] = []
  kernel.on('output', (event) => output.push(event))
  const exit = await kernel.spawn({
    source: main(`console.table([{ a: 1, b: 'x' }, { a: 22 }])
      console.group('outer'); console.count(); console.count('n'); console.dir({ deep: [1] }); console.groupEnd()
      console.count(); console.countReset(); console.count()
      console.assert(true, 'never'); console.assert(false, 'because')
      console.time('t'); console.timeEnd('t'); console.timeEnd('t'); console.clear()
      reportError(new RangeError('mine'))
      function here() { console.trace('where') }
      here()
      console.error(new Error('outer', { cause: new Error('inner') }))`),
  }).exit
  exitValue(exit)
  const printed = (stream: string) =>
    output
      .filter((it) => it.stream === stream)
      .map(({ text }) => text)
      .join('')
  expect(printed('stdout')).toBe(
    `(index) | a  | b\n--------|----|----\n0       | 1  | "x"\n1       | 22 |\n` +
      `outer\n  default: 1\n  n: 1\n  { deep: [1] }\ndefault: 2\ndefault: 1\nt: 0 ms\n`,
  )
  const stderr = printed('stderr')
  expect(stderr).toMatch(
    /^Assertion failed because\nthere is no timer `t`\nUncaught RangeError: mine\n {4}at /,
  )
  expect(stderr).toMatch(/\nTrace: where\n {4}at here /)
  expect(stderr).toMatch(/Error: outer\n(.*\n)*\[cause\]: Error: inner\n/)
  expect(stderr).not.toContain('gatehouse:')
})

claims('performance', {
  'marks and measures by the kernel’s clock': [
    `performance.mark('a', { startTime: 1, detail: { x: 1 } })
     await new Promise((resolve) => setTimeout(resolve, 5))
     performance.mark('b'); const measure = performance.measure('m', 'a', 'b')
     return [measure.duration >= 4, measure instanceof PerformanceMeasure, performance.getEntriesByName('a')[0].detail, performance.getEntries().map(({ name }) => name),
       ${thrownBy("performance.measure('n', 'none')")}, performance.clearMarks() ?? performance.getEntriesByType('mark').length, performance instanceof Performance]`,
    [true, true, { x: 1 }, ['a', 'm', 'b'], 'SyntaxError', 0, true],
  ],
})
