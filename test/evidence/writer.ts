/** A kernel's worth of evidence from a process of its own: each line of output is acknowledged, until it ends or is ended. */
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/clock.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { finishRemoval, ofEntries, removePayloads } from '../../src/evidence/redact.ts'

const [dir = '', segmentBytes = '65536', durability = 'process', payloadBytes = '2000', deletes = ''] =
  process.argv.slice(2)
const say = (line: string): number => writeSync(1, `${line}\n`)

const store = FileStore.open(dir, Number(segmentBytes))
const log = EvidenceLog.open({
  store,
  clock: systemClock,
  durability: durability === 'disk' ? 'disk' : 'process',
})
log.onFailure((error) => say(`failed ${error.code} ${error.message}`))
/** What is acknowledged as deleted is gone, whatever happens later. */
async function remove(seq: number): Promise<void> {
  const author = { by: 'writer', reason: 'a test' }
  const cut = ofEntries(store.read(), [seq], author)
  await removePayloads({ log, store, pause: async () => {} }, cut)
  say(`deleted ${seq}`)
}

say('ready')
try {
  await finishRemoval(store)
  for (let call = 0; ; call += 1) {
    const args = log.payload('x'.repeat(call % Number(payloadBytes)))
    const intent = log.append({
      kind: 'intent',
      run: 'r1',
      pid: 7,
      call,
      syscall: 'fs.write',
      args,
      decision: { effect: 'permit', policy: 'p', rules: [] },
    })
    await log.durable()
    say(`${intent.seq} ${intent.hash}`)
    log.append({ kind: 'outcome', run: 'r1', pid: 7, intent: intent.seq, status: 'committed' })
    if (deletes !== '' && call % 60 === 59) await remove(intent.seq)
  }
} catch (error) {
  say(`stopped ${error instanceof Error ? error.message : String(error)}`)
}
try {
  log.append({ kind: 'host' })
  say('appended after a failure')
} catch {
  say(`ended ${log.head().entries} ${log.head().hash} ${log.verify().ok}`)
}
