/** Which labels processes would carry: those on record, without what only the old rules gave, and with what the new ones give. */
import { joinLabels, type Labels, noLabels, withoutLabels } from '../labels.ts'
import type { Rebuilt } from './rebuilt.ts'
import { Taints } from './taints.ts'

/** How labels differ from those on record: `sure` are there in any case, `maybe` cannot be told. */
export interface Change {
  readonly sure: Labels
  readonly maybe: Labels
}

const nothing: Change = Object.freeze({ sure: noLabels, maybe: noLabels })

/** A call under way, as far as labels go with it. */
export interface Step {
  readonly process: Rebuilt
  readonly syscall: string
  readonly resource: string
  /** By the rules of now. */
  readonly given: Labels
  /** That the rules of then gave, or may have given; undefined where those are not on record. */
  readonly givenBefore: Labels | undefined
  /** That the rules of now may give, where what they say cannot be told. */
  readonly maybeGiven: Labels
}

export class Flow {
  readonly #changes = new WeakMap<Rebuilt, Change>()
  /** What children that have ended leave to whoever waits for them. */
  readonly #children = new WeakMap<Rebuilt, Labels>()
  /** Processes whose values were released from labels. */
  readonly #released = new WeakSet<Rebuilt>()
  readonly #taints = new Taints()
  #hasPipes = false
  /** Every label that differs anywhere. */
  #all: Labels = noLabels

  /** Whether anything differs from the record by now. */
  get differs(): boolean {
    return this.#all.length > 0
  }

  /** @param recorded what it carried at its start */
  begin(process: Rebuilt, recorded: Labels): void {
    process.carried = recorded
    if (process.parent === undefined || !this.differs) return
    const { sure, maybe } = this.#of(process.parent)
    this.#change(process, sure, maybe)
  }

  /**
   * @param recorded what a process carried then
   * @returns what it would carry in any case, and what it may carry beside
   */
  carried(process: Rebuilt, recorded: Labels): Change {
    process.carried = recorded
    if (!this.differs) return { sure: recorded, maybe: noLabels }
    const { sure, maybe } = this.#of(process)
    return { sure: joinLabels(withoutLabels(recorded, maybe), sure), maybe: withoutLabels(maybe, sure) }
  }

  /** Whether the outcome of a call can change what anybody carries. */
  matters({ given, givenBefore, maybeGiven }: Step): boolean {
    return this.differs || given.length + maybeGiven.length > 0 || (givenBefore?.length ?? 1) > 0
  }

  /**
   * A call has ended: its process takes on what came of it.
   * @param recorded what its result, or its error, carried then
   * @returns what it would carry
   */
  ended(step: Step, recorded: Labels, isCommitted: boolean): Labels {
    const { process, given, givenBefore, maybeGiven } = step
    const { sure, maybe } = this.#of(process)
    const lost = withoutLabels(givenBefore === undefined ? recorded : common(recorded, givenBefore), given)
    const had = withoutLabels(process.carried, maybe)
    const found = this.differs ? this.#found(step, isCommitted) : nothing
    // What the old rules gave may have come back by a file or a message: then it is among what is found.
    const doubted = withoutLabels(found.maybe, found.sure)
    const certain = joinLabels(withoutLabels(withoutLabels(recorded, lost), doubted), given)
    const more = joinLabels(withoutLabels(certain, recorded), common(certain, maybe))
    const unsure = [maybeGiven, withoutLabels(lost, had), found.maybe].reduce(joinLabels)
    this.#change(process, [sure, more, found.sure].reduce(joinLabels), joinLabels(maybe, unsure))
    if (isCommitted && this.differs) this.#left(step)
    return joinLabels(certain, found.sure)
  }

  /** A value was released: what the process gives away need not carry what it carries. */
  released(process: Rebuilt): void {
    this.#released.add(process)
  }

  /** Whatever anybody carries may come through a pipe from now on. */
  piped(): void {
    this.#hasPipes = true
  }

  /** The application has done something to files. */
  hostActed(): void {
    this.#taints.loosen()
  }

  /** A process has ended. */
  over(process: Rebuilt): void {
    const { sure, maybe } = this.#of(process)
    const { parent } = process
    if (parent !== undefined && sure.length + maybe.length > 0)
      this.#children.set(parent, [this.#children.get(parent) ?? noLabels, sure, maybe].reduce(joinLabels))
  }

  #of(process: Rebuilt): Change {
    return this.#changes.get(process) ?? nothing
  }

  #change(process: Rebuilt, sure: Labels, maybe: Labels): void {
    if (sure.length + maybe.length === 0) return
    this.#changes.set(process, { sure, maybe: withoutLabels(maybe, sure) })
    this.#all = [this.#all, sure, maybe].reduce(joinLabels)
  }

  /** What differs in what a call tells. */
  #found({ process, syscall, resource }: Step, isCommitted: boolean): Change {
    if (syscall === 'ipc.receive') return { sure: noLabels, maybe: this.#taints.mailbox(process.name) }
    if (syscall === 'proc.wait') return { sure: noLabels, maybe: this.#children.get(process) ?? noLabels }
    if (syscall === 'ipc.pipe' || (syscall === 'stream.read' && this.#hasPipes))
      return { sure: noLabels, maybe: this.#all }
    if (syscall === 'proc.signal') return { sure: noLabels, maybe: this.#all }
    if (!syscall.startsWith('fs.')) return nothing
    if (/^\/(proc|audit|ipc)(\/|$)/.test(resource)) return { sure: noLabels, maybe: this.#all }
    if (syscall === 'fs.read' && isCommitted) return this.#taints.read(process, resource)
    return { sure: noLabels, maybe: this.#taints.around(process, resource) }
  }

  /** What differs in what a call leaves behind. */
  #left({ process, syscall, resource }: Step): void {
    const { sure, maybe } = this.#of(process)
    const left = this.#released.has(process)
      ? { sure: noLabels, maybe: joinLabels(sure, maybe) }
      : { sure, maybe }
    if (syscall === 'ipc.send') this.#taints.send(resource, joinLabels(sure, maybe))
    else if (syscall === 'fs.write' || syscall === 'fs.append') this.#taints.write(process, resource, left)
    else if (syscall === 'fs.mkdir' || syscall === 'fs.remove') this.#taints.name(process, resource, left)
    else if (syscall === 'fs.move') this.#taints.move(process, resource, left)
  }
}

const common = (some: Labels, others: Labels): Labels => some.filter((each) => others.includes(each))
