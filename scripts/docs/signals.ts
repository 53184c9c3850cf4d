/** Prints docs/signals.md. */
import { limits } from '../../src/limits.ts'
import { agentSignals, signalNames, signals } from '../../src/proc/signals.ts'
import { code, count, page, printedFrom, tableOf } from './markdown.ts'

const intro = `A signal reaches one process. The application sends it (\`process.signal(AgentSignal.SIGTERM)\`, \`kernel.signals.signal(pidOrName, signal)\`), an agent does (\`proc.signal(target, signal)\`, where its policy permits that), or the kernel raises it. Each is on record before it has its effect. The numbers up to 19 are those of Linux (signal(7)); the others are the kernel's own.`

const actionText = {
  exit: 'ends the process',
  stop: 'stops it',
  continue: 'lets it go on',
} as const

const rows = signalNames.map((name) => {
  const { number, action, catchable, deadline, summary } = signals[name]
  return [
    code(name),
    String(number),
    summary,
    actionText[action],
    catchable ? 'yes' : 'no',
    deadline ? `${count(limits.handlerMs)} ms` : '–',
  ]
})

const taking = `## How a signal is taken

- An agent handles a catchable signal with \`proc.on(signal, handler)\`, and puts it back with \`proc.on(signal, 'default')\` or \`proc.on(signal, 'ignore')\`. It can name ${agentSignals
  .filter((name) => signals[name].catchable)
  .map(code)
  .join(', ')}; the kernel's own signals are not an agent's to send, handle or mask.
- A signal with a deadline ends the process all the same: when its handler has returned, and settled where it is asynchronous, or by SIGKILL when that takes longer than the deadline. Time in which the process is stopped gives it the deadline anew. After the handler of another signal the process goes on.
- \`proc.sigmask(signals)\` keeps signals waiting, first come, first served, until they are out of the mask. At most ${limits.signalsPendingMax} wait; one more is lost, and its sender is told.
- A process that ends takes its children with it: they get SIGKILL. What it had in flight is aborted, and each call ends on record as committed, aborted, failed or unknown.`

const stopping = `## What SIGSTOP does in this version

SIGSTOP acts **between deliveries and at the next call**, not in the middle of an instruction:

- A turn that runs goes on to its end and uses CPU until then. A turn ends when agent code awaits something that has not come; at the latest it is ended, and the process with it, after its time limit (${count(limits.turnMs)} ms, or what is left of its CPU time).
- After it no agent code runs: replies, timers and signals are held back, in order, until SIGCONT.
- No call is admitted: one that is made in the turn that still runs waits for SIGCONT, and touches nothing until then. At most ${count(limits.callsInFlightMax)} wait; one more is refused with \`EAGAIN\`.
- Calls that had begun before go on outside, since the world does not stop; their replies wait.
- The process's clock stands still; its \`wall\` budget counts on.
- Other signals that can be caught wait. SIGKILL and SIGPOLICY end it at once, stopped or not.
- Its children are not stopped.

SIGKILL is certain where SIGSTOP is not: from then on nothing that agent code does reaches the kernel.`

export const signalsText = (): string =>
  page(
    '# Signals',
    printedFrom('src/proc/signals.ts'),
    intro,
    tableOf(['signal', 'number', 'meaning', 'by default', 'catchable', "handler's deadline"], rows),
    taking,
    stopping,
  )
