/** Whether texts beside the log are what its entries say of them: payloads, policies, and what people approved. */
import { hash } from 'node:crypto'
import type { ApprovedCall } from '../approved.ts'
import type { Entry } from '../entry.ts'
import { isObject, isSound, parse, readPayload } from './line.ts'
import { type Find, problemsListed } from './problems.ts'

/** An approved call whose texts are compared once they have come. */
interface Pair {
  readonly position: number
  readonly digest: unknown
  /** SHA-256 of the text of the arguments: as asked about, as used, and as the binding has it. */
  asked?: string
  used?: string
  bound?: string | undefined
}

type Role = 'asked' | 'used' | 'binding'

export class Texts {
  readonly #find: Find
  /** By the hash of the payload: what SHA-256 of its text is said to be, and by which entry. */
  readonly #policies = new Map<string, { readonly policy: unknown; readonly position: number }>()
  readonly #pairs = new Map<string, { readonly role: Role; readonly pair: Pair }>()
  readonly #open = new Set<Pair>()
  /** Payloads that are not what was hashed, until an entry names them. */
  readonly #bad = new Map<string, string>()

  constructor(find: Find) {
    this.#find = find
  }

  /** Takes note of the policies that an entry names. */
  read({ kind, policy, documents }: Entry, position: number): void {
    if (kind !== 'open' && kind !== 'spawn' && kind !== 'reload') return
    if (!isObject(documents)) return
    const known = this.#policies.get(String(documents.hash))
    if (known === undefined) this.#policies.set(String(documents.hash), { policy, position })
    else if (known.policy !== policy)
      this.#find(position, 'policy', `entry ${known.position} gives its text to another policy`)
  }

  /** Takes note of a call that a person approved. */
  approved({ asked, used, binding, digest }: ApprovedCall, position: number): void {
    const pair: Pair = { position, digest }
    this.#open.add(pair)
    for (const [role, payload] of [['asked', asked] as const, ['used', used] as const])
      if (typeof payload === 'string') this.#pairs.set(payload, { role, pair })
    if (typeof binding === 'string') this.#pairs.set(binding, { role: 'binding', pair })
  }

  /** Reads one line of a pack; the log has been read before. */
  pack(line: string): void {
    const payload = readPayload(line)
    if (payload === undefined) return this.#find(null, 'payload', 'a line of a pack is not a payload')
    if (!isSound(payload)) {
      const detail = `payload ${payload.hash.slice(0, 16)}… is not the text that was hashed`
      if (this.#bad.size < problemsListed) this.#bad.set(payload.hash, detail)
      else this.#find(null, 'payload', detail)
      return
    }
    if (payload.text === undefined) return
    this.#policy(payload.hash, payload.text)
    const wanted = this.#pairs.get(payload.hash)
    if (wanted === undefined) return
    this.#pairs.delete(payload.hash)
    if (wanted.role === 'binding') this.#binding(wanted.pair, payload.text)
    else wanted.pair[wanted.role] = sha256(payload.text)
    this.#compare(wanted.pair)
  }

  #policy(payload: string, text: string): void {
    const said = this.#policies.get(payload)
    if (said === undefined) return
    this.#policies.delete(payload)
    if (sha256(text) !== said.policy)
      this.#find(said.position, 'policy', 'the text that is kept of its policy has another hash')
  }

  #binding(pair: Pair, text: string): void {
    if (sha256(text) !== pair.digest)
      this.#find(pair.position, 'approved-text', 'what the approval holds for is not what its digest says')
    else pair.bound = argsOf(text)
  }

  /** Whichever two of the three are kept have to be the same. */
  #compare(pair: Pair): void {
    const known = [pair.asked, pair.used, pair.bound].filter((text) => text !== undefined)
    if (new Set(known).size <= 1 || !this.#open.delete(pair)) return
    this.#find(pair.position, 'approved-text', 'its arguments are not those that were approved')
  }

  /** Whether the log has to be read again, so that entries are named by what is wrong with their payloads. */
  get hasBad(): boolean {
    return this.#bad.size > 0
  }

  /** Names an entry by its payloads that are not sound. */
  name(entry: Entry, position: number): void {
    for (const value of Object.values(entry)) {
      if (!isObject(value) || typeof value.hash !== 'string') continue
      const detail = this.#bad.get(value.hash)
      if (detail === undefined) continue
      this.#bad.delete(value.hash)
      this.#find(position, 'payload', detail)
    }
  }

  /** Of what no entry named. */
  end(): void {
    for (const detail of this.#bad.values()) this.#find(null, 'payload', detail)
    this.#bad.clear()
  }
}

const sha256 = (text: string): string => hash('sha256', text, 'hex')

function argsOf(binding: string): string | undefined {
  const bound = parse(binding)
  return isObject(bound) && typeof bound.args === 'string' ? bound.args : undefined
}
