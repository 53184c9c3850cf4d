import { describe, expect, test } from 'vitest'
import { combine, loadPolicy, narrow } from '../../src/config/policy.ts'
import type { PolicyDocument } from '../../src/policy/types.ts'
import { documentOf, setOf } from './support.ts'

const saying = (name: string, more: Partial<PolicyDocument>): PolicyDocument =>
  documentOf([], { name, ...more })

describe('a set of policies demands', () => {
  test('nothing of its own where no policy says anything', () => {
    const set = setOf(saying('a', {}), saying('b', { signals: {} }))
    expect(set).toMatchObject({
      cell: 'shared',
      signals: { SIGPOLICY: 'kill', SIGBUDGET: 'kill', SIGLOOP: 'record' },
      loopRepeats: undefined,
    })
  })

  test('a cell to itself where one policy does', () => {
    const own = saying('own', { cell: 'own', isolation: 'cell' })
    const shared = saying('shared', { cell: 'shared' })
    expect(setOf(shared, own).cell).toBe('own')
    expect(setOf(own, shared).cell).toBe('own')
    expect(setOf(shared, saying('c', {})).cell).toBe('shared')
  })

  test('of each signal the strictest that any says; who says nothing has no opinion', () => {
    const set = setOf(
      saying('a', { signals: { SIGPOLICY: 'record', SIGBUDGET: 'record', SIGLOOP: 'stop' } }),
      saying('b', { signals: { SIGBUDGET: 'stop', SIGLOOP: 'kill' } }),
      saying('c', {}),
    )
    expect(set.signals).toEqual({ SIGPOLICY: 'record', SIGBUDGET: 'stop', SIGLOOP: 'kill' })
  })

  test('the least repeats', () => {
    const of = (repeats: number): PolicyDocument => saying(`r${repeats}`, { loop: { repeats } })
    expect(setOf(of(10_000), of(2), saying('c', {}), of(7)).loopRepeats).toBe(2)
  })

  test('what is enforced only', () => {
    const watching = saying('watch', {
      mode: 'observe',
      cell: 'own',
      isolation: 'cell',
      signals: { SIGLOOP: 'kill' },
      loop: { repeats: 2 },
    })
    expect(setOf(saying('a', { signals: { SIGPOLICY: 'record' } }), watching)).toMatchObject({
      cell: 'shared',
      signals: { SIGPOLICY: 'record', SIGBUDGET: 'kill', SIGLOOP: 'record' },
      loopRepeats: undefined,
    })
  })
})

describe('a policy that is added later', () => {
  const lax = saying('lax', { signals: { SIGPOLICY: 'record', SIGBUDGET: 'record', SIGLOOP: 'record' } })
  const silent = loadPolicy(saying('silent', {}))

  test('cannot make a signal milder than what is in force without anybody saying so', () => {
    const kept = { SIGPOLICY: 'kill', SIGBUDGET: 'kill', SIGLOOP: 'record' }
    expect(combine(silent, lax).signals).toEqual(kept)
    expect(narrow(silent, loadPolicy(lax)).signals).toEqual(kept)
    expect(combine(combine(silent, saying('more', {})), lax).signals).toEqual(kept)
  })

  test('leaves a milder ceiling as it is where it says nothing, and can be stricter', () => {
    const ceiling = loadPolicy(lax)
    expect(narrow(ceiling, silent).signals).toEqual(ceiling.signals)
    const strict = loadPolicy(saying('strict', { signals: { SIGLOOP: 'stop' } }))
    expect(narrow(ceiling, strict).signals).toEqual({ ...ceiling.signals, SIGLOOP: 'stop' })
  })
})
