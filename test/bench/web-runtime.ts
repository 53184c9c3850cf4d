/** What the web runtime costs: a guest that touches none of it beside a bare isolate, and the first touch of each family. */
import ivm from 'isolated-vm'
import { bootstrapText } from '../../src/isolate/bootstrap-text.ts'
import { compiledOwn } from '../../src/isolate/compiled-own.ts'
import { type Family, families } from '../../src/isolate/web/families.ts'
import { webText } from '../../src/isolate/web/texts.ts'
import { doors } from '../../src/syscalls.ts'
import { percentile } from './measure.ts'
import { shown, type Table } from './report.ts'

const boot = JSON.stringify({ time: 5, seed: '00'.repeat(32), doors })
const KiB = 1_024

/** What loads a family that has no names. */
const touches: Partial<Record<Family, string>> = {
  console: 'console.table',
  legacy: `new TextDecoder('big5').decode(new Uint8Array([0xa7, 0x41]))`,
  idna: `new URL('https://\\u00fc.org').href`,
}
const touchOf = (family: Family): string => touches[family] ?? families[family][0] ?? ''

interface Live {
  readonly isolate: ivm.Isolate
  readonly context: ivm.Context
}

function bare(): Live {
  const isolate = new ivm.Isolate({ memoryLimit: 64, inspector: true })
  return { isolate, context: isolate.createContextSync({ inspector: true }) }
}

function booted(): Live {
  const live = bare()
  const post = new ivm.Callback(() => {}, { ignored: true })
  const given = [post, boot, '[]', 0, new ivm.Callback(webText)]
  compiledOwn(live.isolate, bootstrapText(boot, true))
    .runSync(live.context, { reference: true })
    .applySync(undefined, given, { result: { reference: true } })
  return live
}

const heapOf = ({ isolate }: Live): number => {
  const { used_heap_size, externally_allocated_size } = isolate.getHeapStatisticsSync()
  return (used_heap_size + externally_allocated_size) / KiB
}

interface Sample {
  readonly ms: number
  readonly heap: number
}

async function sample(make: () => Live, touch?: (live: Live) => Promise<unknown>): Promise<Sample> {
  let start = performance.now()
  const live = make()
  const before = touch === undefined ? 0 : heapOf(live)
  if (touch !== undefined) start = performance.now()
  await touch?.(live)
  const ms = performance.now() - start
  const heap = heapOf(live) - before
  live.isolate.dispose()
  return { ms, heap }
}

/** Compiled from what V8 kept of an earlier compilation, and run: how a family could be loaded before a program. */
function fromCache(family: Family): (live: Live) => Promise<unknown> {
  const text = webText(family)
  const { isolate } = bare()
  const script: ivm.Script & { readonly cachedData?: ivm.ExternalCopy<ArrayBuffer> } =
    isolate.compileScriptSync(text, { produceCachedData: true })
  const { cachedData } = script
  return async ({ isolate, context }) => {
    const script = await isolate.compileScript(text, cachedData === undefined ? {} : { cachedData })
    await script.run(context, { reference: true })
  }
}

const compiled =
  (family: Family) =>
  async ({ isolate, context }: Live) => {
    const script = await isolate.compileScript(webText(family))
    await script.run(context, { reference: true })
  }

const p50 = (samples: readonly Sample[], of: keyof Sample): number =>
  percentile(
    samples.map((one) => one[of]),
    0.5,
  )

/** Resident memory of one isolate among many that live. */
function residentOf(make: () => Live, count: number, alive: Live[]): number {
  const before = process.memoryUsage().rss
  for (let index = 0; index < count; index += 1) alive.push(make())
  return (process.memoryUsage().rss - before) / count / KiB
}

/** Before anything else: what others have freed would be taken again, and not be seen. */
function residents(count: number): { readonly bare: number; readonly guest: number } {
  const alive: Live[] = []
  residentOf(bare, count, alive)
  const figures = { bare: residentOf(bare, count, alive), guest: residentOf(booted, count, alive) }
  for (const { isolate } of alive) isolate.dispose()
  return figures
}

export async function webRuntime(rounds: number): Promise<Table> {
  const resident = residents(100)
  const starts = { bare: [] as Sample[], guest: [] as Sample[] }
  const ofFamilies = new Map<Family, Record<'touch' | 'cold' | 'cached', Sample[]>>()
  const names = Object.keys(families) as Family[]
  const cached = new Map(names.map((family) => [family, fromCache(family)]))
  for (let round = 0; round < rounds; round += 1) {
    starts.bare.push(await sample(bare))
    starts.guest.push(await sample(booted))
    for (const family of names) {
      const kept = ofFamilies.get(family) ?? { touch: [], cold: [], cached: [] }
      ofFamilies.set(family, kept)
      kept.touch.push(await sample(booted, ({ context }) => context.eval(`${touchOf(family)};0`)))
      kept.cold.push(await sample(bare, compiled(family)))
      kept.cached.push(await sample(bare, cached.get(family) ?? compiled(family)))
    }
  }
  const start = { bare: p50(starts.bare, 'ms'), guest: p50(starts.guest, 'ms') }
  const row = (name: string, text: string, ms: string, ratio: string, heap: number) => [
    name,
    text,
    ms,
    ratio,
    heap.toFixed(0),
  ]
  return {
    columns: ['loaded', 'text, KB', 'p50, ms', 'compiled from cache / cold', 'heap, KiB'],
    rows: [
      row('a bare isolate', '–', shown(start.bare), '–', p50(starts.bare, 'heap')),
      row('a guest that touches nothing', '–', shown(start.guest), '–', p50(starts.guest, 'heap')),
      ...[...ofFamilies].map(([family, { touch, cold, cached }]) =>
        row(
          family,
          (webText(family).length / 1e3).toFixed(1),
          shown(p50(touch, 'ms')),
          (p50(cached, 'ms') / p50(cold, 'ms')).toFixed(2),
          p50(touch, 'heap'),
        ),
      ),
    ],
    notes: [
      `A guest that touches nothing takes ${(start.guest / start.bare).toFixed(2)} times as long to start as a bare isolate, has ${(p50(starts.guest, 'heap') - p50(starts.bare, 'heap')).toFixed(0)} KiB more heap, and ${(resident.guest / resident.bare).toFixed(2)} times its resident memory (${resident.guest.toFixed(0)} of ${resident.bare.toFixed(0)} KiB).`,
      'A family is loaded with those it needs: `streams` with `events`, `compression` with `streams`, `urlpattern` with `url`.',
    ],
  }
}
