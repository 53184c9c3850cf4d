/** Prints docs/signals.md. */
import { limits } from '../../src/limits.ts'
import { signalDefaults } from '../../src/policy/demands.ts'
import { type RaisedSignal, raisedSignals } from '../../src/policy/types.ts'
import { agentSignals, type SignalName, signalNames, signals } from '../../src/proc/signals.ts'
import { code, count, page, printedFrom, tableOf } from './markdown.ts'

const intro = `A signal reaches one process. The application sends it (\`process.signal(AgentSignal.SIGTERM)\`, \`kernel.signals.signal(pidOrName, signal)\`), an agent does (\`proc.signal(target, signal)\`, where its policy permits that), or the kernel raises it. Each is on record before it has its effect. The numbers up to 19 are those of Linux (signal(7)); the others are the kernel's own.`

const actionText = {
  exit: 'ends the process',
  stop: 'stops it',
  continue: 'lets it go on',
} as const

const raisedText = { kill: 'ends the process', stop: 'stops it', record: 'is put on record' } as const
const isRaised = (name: SignalName): name is RaisedSignal =>
  (raisedSignals as readonly string[]).includes(name)

/** What a signal does where nobody handles it; of one that the kernel raises, what it does then. */
function defaultOf(name: SignalName): string {
  const sent = actionText[signals[name].action]
  if (!isRaised(name)) return sent
  const raised = raisedText[signalDefaults[name]]
  return raised === sent ? `${sent} (a)` : `${raised} (a)`
}

const rows = signalNames.map((name) => {
  const { number, catchable, deadline, summary } = signals[name]
  return [
    code(name),
    String(number),
    summary,
    defaultOf(name),
    catchable ? 'yes' : 'no',
    deadline ? `${count(limits.handlerMs)} ms` : '–',
  ]
})

const taking = `## How a signal is taken

- An agent handles a catchable signal with \`proc.on(signal, handler)\`, and puts it back with \`proc.on(signal, 'default')\` or \`proc.on(signal, 'ignore')\`. It can name ${agentSignals
  .filter((name) => signals[name].catchable)
  .map(code)
  .join(', ')}; the kernel's own signals are not an agent's to send, handle or mask.
- A signal with a deadline ends the process all the same: when its handler has returned, and settled where it is asynchronous, or by SIGKILL when that takes longer than the deadline. Time in which the process is stopped does not count, and adds nothing. After the handler of another signal the process goes on.
- \`proc.sigmask(signals)\` keeps signals waiting, first come, first served, until they are out of the mask. At most ${limits.signalsPendingMax} wait; one more is lost, and its sender is told.
- A process that ends takes its children with it: they get SIGKILL. What it had in flight is aborted, and each call ends on record as committed, aborted, failed or unknown.`

const raising = `## What the kernel raises

(a) A policy says what they do when the kernel raises them: \`kill\`, \`stop\` or \`record\` ([policy](policy.md#signals-that-the-kernel-raises), [why](decisions/raised-signals.md)). What stands above is what they do where no policy says anything. One that the application sends ends the process.

- \`SIGBUDGET\`: its wall or CPU time is used up. Where that does not end the process, it is allowed as much again, and then the signal comes again.
- \`SIGPOLICY\`: the policy has refused it ${count(limits.refusalsMax)} calls, and after each ${count(limits.refusalsMax)} more.
- \`SIGLOOP\`: the same call, or the same cycle of up to eight calls, has followed itself ${count(limits.loopRepeats)} times, or as often as a policy's \`loop\` says.

Bounds of the kernel itself end a process whatever its policy says: its share of evidence, calls that go on with the budget of \`syscalls\` used up, a reload that its own policy cannot be joined with. \`SIGTRUST\` and \`SIGDRIFT\` are not raised in this version.`

const stopping = `## What SIGSTOP does

SIGSTOP stops agent code **in the middle of an instruction** ([how](decisions/freezing.md)), and SIGCONT goes on exactly there. From the signal on the state is \`stopping\`; it is \`stopped\` when it is proved that no agent code runs, in a loop some milliseconds later, between turns at once.

- No call is admitted, from \`stopping\` on. One that arrives waits for SIGCONT and touches nothing until then. At most ${count(limits.callsInFlightMax)} wait; one more is refused with \`EAGAIN\`.
- An effect that was on record and had not begun waits too, where it leaves the kernel. What had begun goes on outside, since the world does not stop; its reply waits.
- Replies, timers and signals are held back, in order. Other signals that can be caught wait; SIGKILL ends it at once, stopped or not.
- No CPU is used. The time limit of its turn, its CPU time and its own clock stand still; **its \`wall\` budget counts on**. Where the operating system had stopped it, the time limit of its turn counts on too: one that had less left than the stop took ends with \`ETIMEDOUT\` when it goes on.
- Its children are not stopped.

| isolation | a turn that runs | one long builtin of V8, such as a product of huge BigInts |
| --- | --- | --- |
| \`cell\`, alone in its cell | stands still | after ${count(limits.stopMs)} ms the operating system stops the cell (Linux with \`setpriv\`; elsewhere the cell is killed) |
| \`cell\`, with others in it | stands still | stays \`stopping\`; after ${count(limits.stopSharedMs)} ms the cell is killed, and the others in it end with \`EIO\` |
| \`inline\` | stands still; on Node.js 26 it stays \`stopping\` and computes until its turn is over | stays \`stopping\` until the builtin ends |
| \`host\` | stays \`stopping\`, and goes on until it returns: code of the application cannot be stopped | the same |

\`gatehouse inspect\` and \`kernel.inspect\` show where a stopped process stands.

## States

| state | |
| --- | --- |
| \`created\` | its program is read and bundled |
| \`running\` | agent code runs |
| \`waiting\` | no agent code runs until a reply, a timer or a signal comes |
| \`stopping\` | SIGSTOP was taken, and agent code may still run |
| \`stopped\` | it is proved that none does |
| \`exited\` | it ended with a value |
| \`failed\` | it ended with an error |
| \`killed\` | a signal ended it |`

export const signalsText = (): string =>
  page(
    '# Signals',
    printedFrom('src/proc/signals.ts'),
    intro,
    tableOf(['signal', 'number', 'meaning', 'by default', 'catchable', "handler's deadline"], rows),
    taking,
    raising,
    stopping,
  )
