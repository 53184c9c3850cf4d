/** A long run shows where it stands: one line on a terminal, a line now and then in a pipe. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Output } from '../../src/cli/output.ts'
import { elapsed, showProgress } from '../../src/cli/progress.ts'
import { commandLine, folderWith, runCommand } from '../support/cli.ts'

/** A clock that stands still until it is moved. */
function handClock() {
  let now = 0
  const timers = new Map<object, { at: number; then: () => void }>()
  return {
    now: () => now,
    monotonic: () => now,
    after(ms: number, then: () => void) {
      const key = {}
      timers.set(key, { at: now + ms, then })
      return () => void timers.delete(key)
    },
    waiting: () => timers.size,
    pass(ms: number) {
      for (const end = now + ms; now < end; ) {
        now += 1
        for (const [key, { at, then }] of [...timers]) {
          if (at > now) continue
          timers.delete(key)
          then()
        }
      }
    },
  }
}

function screen(isTTY: boolean) {
  const written: string[] = []
  const stderr = { isTTY, columns: 20, write: (text: string) => written.push(text) > 0 }
  const io = { stdout: { write: () => true }, stderr, env: { TERM: 'xterm' } }
  return { out: new Output(io, { json: false, stack: false }), written }
}

test('in a pipe there is a plain line every ten seconds, and none for a short run', () => {
  const clock = handClock()
  const { out, written } = screen(false)
  const end = showProgress(out, clock, (ms) => `after ${elapsed(ms)}`)
  clock.pass(9_999)
  expect(written).toEqual([])
  clock.pass(15_000)
  expect(written).toEqual(['after 10 s\n', 'after 20 s\n'])
  end()
  expect(clock.waiting()).toBe(0)
  expect(written).toHaveLength(2)
})

test('on a terminal one line is drawn again, cut to the width, and taken away at the end', () => {
  const clock = handClock()
  const { out, written } = screen(true)
  const end = showProgress(out, clock, (ms) => `after ${elapsed(ms)} of a long, long run`)
  clock.pass(999)
  expect(written).toEqual([])
  clock.pass(300)
  expect(written).toEqual(['\r\u001b[Kafter 1.0 s of a l…', '\r\u001b[Kafter 1.3 s of a l…'])
  out.note('a line between')
  expect(written.slice(2)).toEqual(['\r\u001b[K', 'a line between\n', '\r\u001b[Kafter 1.3 s of a l…'])
  end()
  expect(written.at(-1)).toBe('\r\u001b[K')
})

test('an unfinished line of an agent is not drawn over', () => {
  const { out, written } = screen(true)
  out.agent('stderr', 'half a line')
  out.live('progress')
  expect(written).toEqual(['half a line'])
  out.agent('stderr', ', and the rest\n')
  out.live('progress')
  expect(written.at(-1)).toBe('\r\u001b[Kprogress')
})

test('durations are short', () => {
  expect([0, 9_960, 59_999, 200_000].map(elapsed)).toEqual(['0.0 s', '10.0 s', '59 s', '3 min 20 s'])
})

const hasScript = existsSync('/usr/bin/script')
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

test.skipIf(!hasScript)('on a real terminal (skipped where util-linux has no `script`)', async () => {
  const folder = folderWith({
    'agent.ts':
      "export default async () => { await new Promise((r) => setTimeout(r, 1_800)); console.log('\\u001b[2Jdone') }",
  })
  const line = [...commandLine, 'run', 'agent.ts'].map(quoted).join(' ')
  const { code, stdout } = await runCommand(['/usr/bin/script', '-qec', line, '/dev/null'], folder, {
    TERM: 'xterm',
  })
  expect(code).toBe(0)
  const drawn = stdout.split('\r\u001b[K').slice(1)
  expect(drawn[0]).toMatch(/^agent waiting, 1\.\d s, \d+ calls, 0 refused$/)
  expect(drawn.at(-1)).toMatch(/^agent \(pid 1, |^\\x1b\[2Jdone|^$/)
  expect(stdout).toContain('\\x1b[2Jdone\r\n')
  expect(stdout.replaceAll('\u001b[K', '')).not.toContain('\u001b')
})
