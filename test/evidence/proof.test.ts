/** One entry, proven to somebody who has the key and not the log. */
import { expect, test } from 'vitest'
import { makeSigner } from '../../src/evidence/keys.ts'
import { proveEntry, verifyProof } from '../../src/evidence/proof.ts'
import { linesOf, recordCall, signedIn, tempDir, verifierFor } from './support.ts'

async function record() {
  const [dir, signer] = [tempDir(), makeSigner()]
  const log = signedIn(dir, signer)
  const notes: string[] = []
  for (let call = 1; call <= 12; call += 1) {
    recordCall(log, call)
    if (call % 4 === 0) notes.push(await log.checkpoint())
  }
  await log.close()
  const [first = '', , last = ''] = notes
  return { lines: linesOf(dir), keys: [verifierFor(signer)], first, last }
}

test('each entry that a checkpoint covers is proven by it, and by an earlier one that was kept', async () => {
  const { lines, keys, first, last } = await record()
  const size = Number(last.split('\n')[1])
  expect(size).toBeGreaterThan(20)
  for (let entry = 0; entry < size; entry += 1) {
    const proof = JSON.parse(JSON.stringify(proveEntry(lines, entry, last, first)))
    expect(verifyProof(proof, keys)).toEqual({ line: lines[entry] })
    expect(verifyProof(proof, keys, first)).toEqual({ line: lines[entry] })
  }
  expect(() => proveEntry(lines, size, last)).toThrow(RangeError)
  expect(() => proveEntry(lines, 1, first, last)).toThrow(RangeError)
})

test('nothing else is proven', async () => {
  const { lines, keys, first, last } = await record()
  const { keys: other, first: foreign } = await record()
  const proof = proveEntry(lines, 7, last, first)
  const flaws = (document: unknown, by = keys, since?: string) => verifyProof(document, by, since)
  const notSigned = { flaw: 'the line is not the entry that was signed' }
  expect(flaws({ ...proof, line: lines[8] })).toEqual(notSigned)
  expect(flaws({ ...proof, entry: 8 })).toEqual(notSigned)
  expect(flaws({ ...proof, path: proof.path.slice(1) })).toEqual(notSigned)
  expect(flaws({ ...proof, path: proof.path.with(0, 'zz') })).toEqual(notSigned)
  expect(flaws({ ...proof, checkpoint: first })).toEqual(notSigned)
  expect(flaws(proof, other)).toEqual({ flaw: 'its checkpoint is signed by no key that was brought' })
  expect(flaws(proof, [])).toEqual({ flaw: 'its checkpoint is signed by no key that was brought' })
  const notSince = { flaw: 'the log of this proof does not go on from the checkpoint that was kept' }
  expect(flaws(proof, keys, foreign)).toEqual(notSince)
  expect(flaws(proveEntry(lines, 7, last), keys, first)).toEqual(notSince)
  expect(flaws({ ...proof, since: { size: proof.since?.size, path: [] } }, keys, first)).toEqual(notSince)
  for (const document of [
    undefined,
    null,
    7,
    {},
    [],
    { ...proof, v: 2 },
    { ...proof, since: null },
    { ...proof, path: [1] },
  ])
    expect(flaws(document)).toEqual({ flaw: 'it is no proof' })
  expect(() => proveEntry(lines.with(3, lines[4] ?? ''), 7, last)).toThrow(
    /is not what the checkpoint covers/,
  )
  expect(() => proveEntry(lines, 7, last, foreign)).toThrow(/is not what the checkpoint covers/)
})
