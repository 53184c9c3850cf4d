/** Where agent code stands, as V8's debugger says it when it has stopped it. */
import { limits } from '../limits.ts'
import type { Frozen, StackFrame } from './guest.ts'

/** As much of `Debugger.paused` as is read. */
interface PausedMessage {
  readonly params: {
    readonly callFrames: readonly {
      readonly functionName: string
      /** Counted from 0. */
      readonly location: {
        readonly scriptId: string
        readonly lineNumber: number
        readonly columnNumber: number
      }
    }[]
  }
}

/**
 * @param text the notification; agent code decides how long it is
 * @param script V8's number of the program: frames of other scripts are not agent code
 */
export function stackOf(text: string, script: number): Pick<Frozen, 'stack' | 'depth'> {
  if (text.length > limits.frozenTextMax) return { stack: [], depth: 0 }
  const message: PausedMessage = JSON.parse(text)
  const own = message.params.callFrames.filter(({ location }) => location.scriptId === String(script))
  const stack = own.slice(0, limits.frozenFramesMax).map(
    ({ functionName, location }): StackFrame => ({
      name: functionName.slice(0, limits.frameNameMax).toWellFormed(),
      line: location.lineNumber + 1,
      column: location.columnNumber + 1,
    }),
  )
  return { stack, depth: own.length }
}
