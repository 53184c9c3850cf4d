/** What policies demand of the kernel beside budgets: a cell of one's own, what raised signals do, where a loop begins. */
import {
  type Cell,
  type Policy,
  type RaisedSignal,
  type raisedSignals,
  type SignalAction,
  signalActions,
} from './types.ts'

export type SignalActions = Readonly<Record<RaisedSignal, SignalAction>>

/** What is done where no policy says anything. */
export const signalDefaults: SignalActions = Object.freeze({
  SIGPOLICY: 'kill',
  SIGBUDGET: 'kill',
  SIGLOOP: 'record',
})

/**
 * @param enforced policies that apply together
 * @param above what is in force already and can only be narrowed; undefined where nothing is
 * @returns for each signal the strictest that any of them says; where none does, the default
 */
export function strictestSignals(enforced: readonly Policy[], above?: SignalActions): SignalActions {
  const strictest = (signal: RaisedSignal): SignalAction => {
    const said = [above?.[signal], ...enforced.map(({ signals }) => signals[signal])]
    return signalActions.find((action) => said.includes(action)) ?? signalDefaults[signal]
  }
  return Object.freeze({
    SIGPOLICY: strictest('SIGPOLICY'),
    SIGBUDGET: strictest('SIGBUDGET'),
    SIGLOOP: strictest('SIGLOOP'),
  } satisfies Record<(typeof raisedSignals)[number], SignalAction>)
}

/** @returns `own` where any of the policies says so */
export const strictestCell = (enforced: readonly Policy[]): Cell =>
  enforced.some(({ cell }) => cell === 'own') ? 'own' : 'shared'

/** @returns the least that any of the policies says; undefined where none does */
export function leastRepeats(enforced: readonly Policy[]): number | undefined {
  const said = enforced.map(({ loopRepeats }) => loopRepeats).filter((it) => it !== undefined)
  return said.length === 0 ? undefined : Math.min(...said)
}
