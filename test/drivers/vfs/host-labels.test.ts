/** Labels on the host are there before the change that needs them, and while nobody can tell whether it has happened. */
import { expect, test } from 'vitest'
import { HostLabels, HostLabelTable } from '../../../src/drivers/vfs/host-labels.ts'
import { limits } from '../../../src/limits.ts'
import { refused } from '../../contracts/mount.ts'

const untrusted = ['untrusted']

/** Something that is under way until it is told to end. */
function pending(): { readonly act: () => Promise<void>; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { act: () => promise, end: resolve }
}

test('what is written carries its labels while it is being written, in every mount that shows it', async () => {
  const table = new HostLabelTable()
  const outer = new HostLabels(table, '/data')
  const inner = new HostLabels(table, '/data/sub')
  const { act, end } = pending()
  const change = outer.change('/sub/a', untrusted, untrusted, act)
  expect([outer.of('/sub/a'), inner.of('/a'), inner.of('/b'), inner.around('/b')]).toEqual([
    untrusted,
    untrusted,
    [],
    untrusted,
  ])
  expect(outer.changes).toBeNaN()
  end()
  await change
  expect(outer.changes).toBe(1)
})

test('what is moved carries them at both places while nobody can tell where it is, and what is written there meanwhile', async () => {
  const labels = new HostLabels(new HostLabelTable(), '/')
  await labels.change('/from/a', untrusted, [], async () => {})
  const { act, end } = pending()
  const move = labels.move('/from', '/to', [], act)
  expect([labels.of('/from/a'), labels.of('/to/a')]).toEqual([untrusted, untrusted])
  await labels.change('/from/late', ['late'], [], async () => {})
  expect(labels.of('/to/late')).toEqual(['late'])
  end()
  await move
  expect([labels.of('/to/a'), labels.of('/to/late')]).toEqual([untrusted, ['late']])
})

test('more paths than are kept take no new labels, and what has none is written', async () => {
  const labels = new HostLabels(new HostLabelTable(), '/data')
  const nothing = async (): Promise<void> => {}
  for (let n = 0; n < limits.hostLabelsMax; n += 1) await labels.change(`/${n}`, untrusted, [], nothing)
  await refused('ENOSPC', async () => labels.change('/more', untrusted, [], nothing))
  await labels.change('/more', [], [], nothing)
  await labels.change('/0', ['other'], [], nothing)
  expect(labels.of('/0')).toEqual(['other', 'untrusted'])
})
