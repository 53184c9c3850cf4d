/** The signals, with POSIX numbers (signal(7), Linux x86-64) and what each does when nobody handles it. */
import { SyscallError } from '../errors.ts'
import { didYouMean } from '../policy/suggest.ts'

export const signals = {
  SIGINT: { number: 2, action: 'exit', catchable: true, deadline: true, summary: 'a person asks it to stop' },
  SIGKILL: {
    number: 9,
    action: 'exit',
    catchable: false,
    deadline: false,
    summary: 'ends it now, with its children',
  },
  SIGUSR1: {
    number: 10,
    action: 'exit',
    catchable: true,
    deadline: false,
    summary: "the agent's own meaning",
  },
  SIGUSR2: {
    number: 12,
    action: 'exit',
    catchable: true,
    deadline: false,
    summary: "the agent's own meaning",
  },
  SIGTERM: {
    number: 15,
    action: 'exit',
    catchable: true,
    deadline: true,
    summary: 'ends it after its handler, or now',
  },
  SIGCONT: {
    number: 18,
    action: 'continue',
    catchable: false,
    deadline: false,
    summary: 'goes on exactly where it was stopped',
  },
  SIGSTOP: {
    number: 19,
    action: 'stop',
    catchable: false,
    deadline: false,
    summary: 'stands still, in the middle of an instruction, until SIGCONT',
  },
  SIGPOLICY: {
    number: 32,
    action: 'exit',
    catchable: false,
    deadline: false,
    summary: 'its policy has refused it too often',
  },
  SIGTRUST: {
    number: 33,
    action: 'exit',
    catchable: true,
    deadline: true,
    summary: 'trust in it fell too low',
  },
  SIGBUDGET: {
    number: 34,
    action: 'exit',
    catchable: false,
    deadline: false,
    summary: 'its wall or CPU time is used up',
  },
  SIGLOOP: {
    number: 35,
    action: 'exit',
    catchable: true,
    deadline: true,
    summary: 'it goes round in circles',
  },
  SIGDRIFT: { number: 36, action: 'exit', catchable: true, deadline: true, summary: 'it left its task' },
} as const

export type SignalName = keyof typeof signals
export const signalNames = Object.keys(signals) as readonly SignalName[]

/** Signals by name, with their POSIX numbers: `AgentSignal.SIGSTOP === 19`. */
export const AgentSignal = Object.freeze(
  Object.fromEntries(signalNames.map((name) => [name, signals[name].number])),
) as {
  readonly [Name in SignalName]: (typeof signals)[Name]['number']
}

const byNumber = new Map<number, SignalName>(signalNames.map((name) => [signals[name].number, name]))

/** Signals that an agent may send, handle or mask; the others belong to people and to the kernel. */
export const agentSignals = [
  'SIGINT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTERM',
  'SIGCONT',
  'SIGSTOP',
] as const

/**
 * @param signal a name (`SIGTERM`, `TERM`) or a number
 * @throws SyscallError EINVAL for what is no signal
 */
export function signalName(signal: string | number): SignalName {
  const asNumber = typeof signal === 'number' ? byNumber.get(signal) : byNumber.get(Number(signal))
  if (asNumber !== undefined) return asNumber
  const given = String(signal).slice(0, 40)
  const text = given.toUpperCase()
  const name = text.startsWith('SIG') ? text : `SIG${text}`
  if (Object.hasOwn(signals, name)) return name as SignalName
  // Without what they all begin with, which would make any two of them look alike.
  const bare = signalNames.map((known) => known.slice(3))
  const meant = didYouMean(name.slice(3), bare).replace('mean `', 'mean `SIG')
  throw new SyscallError(
    'EINVAL',
    `\`${given}\` is no signal${meant || `; agents and people send ${agentSignals.join(', ')}`}`,
  )
}
