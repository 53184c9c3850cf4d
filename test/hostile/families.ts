/** Attacks that try to use up, hang or end what others need. */
import type { Family } from '../support/attack.ts'
import { cpu } from './cpu.ts'
import { floods } from './floods.ts'
import { labels } from './labels.ts'
import { memory } from './memory.ts'
import { processes } from './processes.ts'
import { signals } from './signals.ts'

export const families: readonly Family[] = [memory, cpu, floods, processes, signals, labels]
