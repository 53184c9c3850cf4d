/** What a scripted model says: turn after turn of a conversation, with the failures that come in between. */
import type { Json } from '../../../src/index.ts'

export interface ToolCall {
  readonly name: string
  /** Sent as it is: what a model makes up need not be what a tool takes. */
  readonly args: Json
}

export interface Says {
  readonly text?: string
  /** Several are parallel calls. */
  readonly calls?: readonly ToolCall[]
}

export interface Fails {
  /**
   * `hang`: nothing more is sent and the connection stays; `break`: the connection is cut;
   * `nonsense`: 200 with what is no answer; `busy`: 429; `error`: 500.
   */
  readonly fails: 'hang' | 'break' | 'nonsense' | 'busy' | 'error'
  /** What is said before it hangs or breaks off. */
  readonly after?: Says
  /** With `busy` and `error`: the header Retry-After, in seconds. */
  readonly retryAfter?: number
  /** How many requests it answers before the script goes on; 1 unless told otherwise. */
  readonly times?: number
}

export type Turn = Says | Fails

/** Turns in order, or what decides by the request. */
export type Script = readonly Turn[] | ((asked: Asked) => Turn)

export interface Asked {
  readonly model: string
  /** How many turns the model has had in this conversation, as its messages show. */
  readonly turn: number
  readonly stream: boolean
  readonly body: Readonly<Record<string, Json>>
}

/** The scripts of one server, by the name of the model that is asked for. */
export class Scripts {
  readonly #scripts = new Map<string, Script>()
  readonly #used = new Map<Fails, number>()

  set(model: string, script: Script): void {
    this.#scripts.set(model, script)
  }

  /** @returns undefined for a model that has no script, or a conversation that is longer than it */
  turn(asked: Asked): Turn | undefined {
    const script = this.#scripts.get(asked.model)
    if (typeof script === 'function') return script(asked)
    let said = 0
    for (const turn of script ?? []) {
      if ('fails' in turn ? said === asked.turn && this.#use(turn) : said === asked.turn) return turn
      if (!('fails' in turn)) said += 1
    }
    return undefined
  }

  /** Whether a failure has to come still. */
  #use(turn: Fails): boolean {
    const used = this.#used.get(turn) ?? 0
    this.#used.set(turn, used + 1)
    return used < (turn.times ?? 1)
  }
}
