/** Attacks that try to use up, hang or end what others need. */
import type { Family } from '../support/attack.ts'
import { cpu } from './cpu.ts'
import { memory } from './memory.ts'

export const families: readonly Family[] = [memory, cpu]
