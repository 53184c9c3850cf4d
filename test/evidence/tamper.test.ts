/** The tamper suite: what is done to a record, and who finds it. The table in docs/evidence.md is held to it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { gapsOf } from '../../src/evidence/gaps.ts'
import { makeSigner } from '../../src/evidence/keys.ts'
import type { Signer } from '../../src/evidence/note.ts'
import { type Verification, verifyEntries } from '../../src/evidence/verify.ts'
import { KernelSpace } from '../../src/index.ts'
import { main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { edited, type Handed, kindOf, rechained, resigned, stripped } from './forge.ts'
import { linesOf, recordCall, signedIn, verifierFor } from './support.ts'

interface Made extends Handed {
  readonly signer: Signer
  /** A checkpoint that somebody kept, when the record was whole. */
  readonly kept: string
  /** Where a kernel ended in order and the next began: what was signed up to there ends as a record should. */
  readonly firstLife: number
}

/** An agent that is permitted, refused, asked about and that fails, twice over, with another policy in between. */
async function realRecord(): Promise<Made> {
  const dir = join(tempFolder(), 'evidence')
  const signer = makeSigner()
  const policy = policyOf([
    { id: 'notes', effect: 'permit', action: ['fs.read', 'fs.write'], resource: '/mem/**' },
    { id: 'mail', effect: 'ask', action: ['tool.call'], resource: 'mail' },
  ])
  const narrower = { ...policy, name: 'narrower', rules: policy.rules.slice(0, 1) }
  const other = { ...policy, name: 'other' }
  const { name, publicKey, sign } = signer
  const live = async (end: (kernel: KernelSpace) => Promise<void>) => {
    const kernel = new KernelSpace({
      ...{ policy, isolation: 'inline', control: false },
      evidence: { dir, key: { name, publicKey, sign } },
      tools: { mail: { description: 'sends mail', parameters: { type: 'object' }, execute: () => 'sent' } },
      approvals: { ask: async () => 'approve' as const },
    })
    const source = main(`await fs.write('/mem/a.txt', 'a'); await fs.read('/mem/a.txt')
      await tools.mail({ to: 'x' }).catch(() => {}); await fs.read('/etc/passwd').catch(() => {})`)
    await kernel.spawn({ source }, { policy: narrower }).exit
    await kernel.evidence.checkpoint()
    const last = main(
      `await fs.read('/mem/a.txt'); await sys('clock.sleep', { ms: 150 }); await fs.read('/mem/a.txt')`,
    )
    const waiting = [{}, { policy: other }].map((own) => kernel.spawn({ source: last }, own))
    await until(() => waiting.every(({ state }) => state === 'waiting'), 'they wait')
    await kernel.reload(narrower)
    await Promise.all(waiting.map(({ exit }) => exit))
    await kernel.spawn({ source }).exit
    await end(kernel)
    await kernel.shutdown()
  }
  await live(async () => {})
  const firstLife = linesOf(dir).length
  let kept = ''
  await live(async (kernel) => {
    kept = await kernel.evidence.checkpoint()
  })
  return { lines: linesOf(dir), packs: linesOf(dir, 'pack-000001.jsonl'), signer, kept, firstLife }
}

async function syntheticRecord(): Promise<Made> {
  const dir = join(tempFolder(), 'evidence')
  const signer = makeSigner()
  let kept = ''
  let firstLife = 0
  for (const life of [1, 2]) {
    const log = signedIn(dir, signer)
    log.append({ kind: 'open', name: `life ${life}` })
    for (let call = 1; call <= 40; call += 1) {
      recordCall(log, call)
      if (call % 10 === 0) kept = await log.checkpoint()
    }
    log.append({ kind: 'close' })
    await log.close()
    if (life === 1) firstLife = linesOf(dir).length
  }
  return { lines: linesOf(dir), packs: linesOf(dir, 'pack-000001.jsonl'), signer, kept, firstLife }
}

/** Whose key nobody has been given. */
const stranger = makeSigner()

/** What an auditor finds: problems, a record that is not whole, or nothing. */
type Finding = 'found' | 'incomplete' | 'unseen'

interface Attack {
  readonly does: string
  /** @returns the record as the auditor is handed it, without the file beside it; where it was changed first */
  readonly act: (made: Made, at: number, nonce: number) => Handed & { readonly at?: number }
  /** By an auditor with nothing, with the operator's key, and with a kept checkpoint too. */
  readonly found: readonly [nothing: Finding, key: Finding, since: Finding]
}

const at = (made: Made, position: number): number => position % made.lines.length
/** An entry that the kept checkpoint covers, and that is no signature itself. */
function inside(made: Made, position: number): number {
  const covered = Number(made.kept.split('\n')[1])
  const plain = made.lines.flatMap((line, index) =>
    index < covered && !['key', 'checkpoint'].includes(kindOf(line)) ? [index] : [],
  )
  return plain[position % plain.length] ?? 1
}
const withEdit = (made: Made, index: number, nonce: number): string[] =>
  made.lines.with(index, edited(made.lines[index] ?? '', nonce))

const attacks: readonly Attack[] = [
  {
    does: 'edit an entry',
    act: (made, position, nonce) => {
      const index = at(made, position)
      return { ...made, lines: withEdit(made, index, nonce), at: index }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'delete an entry',
    act: (made, position) => {
      const index = position % (made.lines.length - 1)
      return { ...made, lines: made.lines.toSpliced(index, 1), at: index }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'insert an entry',
    act: (made, position, nonce) => {
      const index = at(made, position)
      return {
        ...made,
        lines: made.lines.toSpliced(index, 0, edited(made.lines[index] ?? '', nonce)),
        at: index,
      }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'write an entry twice',
    act: (made, position) => {
      const index = at(made, position)
      return { ...made, lines: made.lines.toSpliced(index, 0, made.lines[index] ?? ''), at: index }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'let two entries change places',
    act: (made, position) => {
      const index = position % (made.lines.length - 1)
      const [one = '', two = ''] = made.lines.slice(index, index + 2)
      return { ...made, lines: made.lines.with(index, two).with(index + 1, one), at: index }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'change the text of a payload',
    act: (made, position) => {
      const texts = made.packs.flatMap((line, index) => (JSON.parse(line).text === undefined ? [] : [index]))
      const index = texts[position % texts.length] ?? 0
      const payload = JSON.parse(made.packs[index] ?? '')
      return {
        ...made,
        packs: made.packs.with(index, JSON.stringify({ ...payload, text: `${payload.text} ` })),
      }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'let the texts of two payloads change places',
    act: (made, position) => {
      const [one, two] = [0, 1].map((more) =>
        JSON.parse(made.packs[(position + more) % made.packs.length] ?? ''),
      )
      if (one.text === two.text) return { ...made, lines: made.lines.slice(1) }
      const packs = made.packs.map((line) => {
        if (line.includes(`"hash":"${one.hash}"`)) return JSON.stringify({ ...one, text: two.text })
        return line.includes(`"hash":"${two.hash}"`) ? JSON.stringify({ ...two, text: one.text }) : line
      })
      return { ...made, packs }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'edit an entry, and chain all that follows anew',
    act: (made, position, nonce) => {
      const index = inside(made, position)
      return { ...made, lines: rechained(withEdit(made, index, nonce)), at: index }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'delete an entry, and chain all that follows anew',
    act: (made, position) => {
      const index = inside(made, position)
      return { ...made, lines: rechained(made.lines.toSpliced(index, 1)), at: index }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'cut off the end, at an entry that is not the last of a kernel',
    act: (made, position) => {
      const kept = Number(made.kept.split('\n')[1])
      const index = [1, made.firstLife - 1, made.firstLife].includes(position % kept) ? 2 : position % kept
      return { ...made, lines: made.lines.slice(0, Math.max(2, index)) }
    },
    found: ['incomplete', 'incomplete', 'found'],
  },
  {
    does: 'roll back to where an earlier kernel ended in order',
    act: (made) => ({ ...made, lines: made.lines.slice(0, made.firstLife) }),
    found: ['unseen', 'unseen', 'found'],
  },
  {
    does: 'edit an entry, and take off all checkpoints after it',
    act: (made, position, nonce) => {
      const index = inside(made, position)
      const lines = withEdit(made, index, nonce)
      const rest = lines.slice(index).filter((line) => kindOf(line) !== 'checkpoint')
      return { ...made, lines: rechained([...lines.slice(0, index), ...rest]) }
    },
    found: ['incomplete', 'incomplete', 'found'],
  },
  {
    does: 'edit an entry, and take off all that is signed',
    act: (made, position, nonce) => ({
      ...made,
      lines: stripped(withEdit(made, inside(made, position), nonce)),
    }),
    found: ['incomplete', 'found', 'found'],
  },
  {
    does: 'edit an entry, and sign all anew with a key of one’s own',
    act: (made, position, nonce) => ({
      ...made,
      lines: resigned(withEdit(made, inside(made, position), nonce), stranger),
    }),
    found: ['unseen', 'found', 'found'],
  },
  {
    does: 'edit an entry, and go on from there with a key of one’s own',
    act: (made, position, nonce) => {
      const index = inside(made, position)
      const own = made.lines[0] ?? ''
      const lines = withEdit(made, index, nonce).toSpliced(index, 0, own)
      return { ...made, lines: [...made.lines.slice(0, index), ...resigned(lines, stranger).slice(index)] }
    },
    found: ['found', 'found', 'found'],
  },
  {
    does: 'with the operator’s key: edit an entry, and sign all anew',
    act: (made, position, nonce) => ({
      ...made,
      lines: resigned(withEdit(made, inside(made, position), nonce), made.signer),
    }),
    found: ['unseen', 'unseen', 'found'],
  },
  {
    does: 'with the operator’s key: write all anew as another log',
    act: (made) => ({ ...made, lines: resigned(made.lines, made.signer, 'gatehouse/another') }),
    found: ['unseen', 'unseen', 'found'],
  },
  {
    does: 'delete a payload, which is allowed',
    act: (made, position) => ({ ...made, packs: made.packs.toSpliced(position % made.packs.length, 1) }),
    found: ['unseen', 'unseen', 'unseen'],
  },
]

const verdict = (verification: Verification): Finding => {
  if (!verification.ok) return 'found'
  return gapsOf(verification).length > 0 ? 'incomplete' : 'unseen'
}

/** Whether a problem says where: at the entry or the next, or in a range of entries that holds it. */
const names = ({ problems }: Verification, index: number): boolean =>
  problems.some(({ entry, detail }) => {
    if (entry === null) return false
    const [from, to] = /entries (\d+) to (\d+)/.exec(detail)?.slice(1).map(Number) ?? [entry - 1, entry]
    return Number(from) <= index && index <= Number(to)
  })

const runs = 12

describe.each([
  ['a log that kernels wrote', realRecord],
  ['a log of many calls, and a checkpoint after each ten', syntheticRecord],
] as const)('%s', (_, make) => {
  let made: Made
  beforeAll(async () => {
    made = await make()
  })
  const brought = () => {
    const keys = [verifierFor(made.signer)]
    return [{}, { keys }, { keys, since: [made.kept] }] as const
  }

  test('is sound as it is, for each auditor, and signed to its end', () => {
    for (const each of brought()) {
      const verification = verifyEntries(made.lines, made.packs, each)
      expect(verification.problems).toEqual([])
      expect(gapsOf(verification)).toEqual([])
      expect(verification).toMatchObject({ unsettled: 0, covered: made.lines.length - 1, uncovered: 0 })
    }
  })

  test.each(attacks)('$does', ({ act, found }) => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (position, nonce) => {
        const forged = act(made, position, nonce)
        const verifications = brought().map((each) => verifyEntries(forged.lines, forged.packs, each))
        expect(verifications.map(verdict)).toEqual(found)
        for (const verification of verifications)
          if (forged.at !== undefined && !verification.ok)
            expect(names(verification, forged.at), JSON.stringify(verification.problems)).toBe(true)
      }),
      { numRuns: runs },
    )
  })

  test('any one character changed in any entry is found, without a key of anybody', () => {
    const place = fc
      .nat(made.lines.length - 1)
      .chain((line) => fc.tuple(fc.constant(line), fc.nat((made.lines[line]?.length ?? 1) - 1)))
    fc.assert(
      fc.property(place, fc.string({ unit: 'grapheme', maxLength: 2 }), ([index, character], text) => {
        const line = made.lines[index] ?? ''
        const changed = line.slice(0, character) + text + line.slice(character + 1)
        fc.pre(changed !== line)
        const verification = verifyEntries(made.lines.with(index, changed))
        // A last checkpoint that is none any more is a record that has not ended.
        expect(verification.ok && gapsOf(verification).length === 0).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})

test('the table in docs/evidence.md says of each what this suite has found', () => {
  const docs = readFileSync(new URL('../../docs/evidence.md', import.meta.url), 'utf8')
  const rows = attacks.map(({ does, found }) => `| ${[does, ...found].join(' | ')} |`)
  expect(docs).toContain(
    [
      '| done to the record | with nothing | with the key | with the key and a kept checkpoint |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
  )
})
