/** Labels say where data came from; whoever takes data on takes its labels on, and nobody drops one. */
import { KernelError } from './errors.ts'
import { limits } from './limits.ts'

/** Names without repetition, in order. */
export type Labels = readonly string[]

export const noLabels: Labels = Object.freeze([])

/** A lower-case word, or several with dashes between. */
export const labelPattern = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'

const form = new RegExp(labelPattern)

/** @returns what is wrong with the name of a label, as a clause; undefined where nothing is */
export function labelFlaw(name: unknown): string | undefined {
  if (typeof name !== 'string') return `a label is a text, not ${name === null ? 'null' : `a ${typeof name}`}`
  const shown = `\`${name.slice(0, limits.labelLengthMax).toWellFormed()}\``
  if (name.length > limits.labelLengthMax)
    return `the label ${shown}… has ${name.length} characters, at most ${limits.labelLengthMax} fit`
  if (form.test(name)) return undefined
  return `${shown} is no label; write a lower-case word, with dashes between several, such as \`untrusted\` or \`customer-data\``
}

/**
 * Reads labels that an application gives.
 * @param given a list of names
 * @param where the option or part that holds them, for the message
 * @returns the labels
 * @throws KernelError EINVAL for what is no list, too long, or holds what is no label
 */
export function readLabels(given: unknown, where: string): Labels {
  if (!Array.isArray(given))
    throw new KernelError('EINVAL', `${where}: labels are a list of texts, such as \`["untrusted"]\``)
  if (given.length > limits.labelsMax)
    throw new KernelError('EINVAL', `${where}: ${given.length} labels, at most ${limits.labelsMax} fit`)
  for (const name of given) {
    const flaw = labelFlaw(name)
    if (flaw !== undefined) throw new KernelError('EINVAL', `${where}: ${flaw}`)
  }
  return joinLabels(noLabels, given)
}

/** @returns all of both; one of the two itself where it holds the other */
export function joinLabels(some: Labels, others: Labels): Labels {
  if (others.length === 0 || others === some) return some
  if (some.length > 0 && others.every((label) => some.includes(label))) return some
  return Object.freeze([...new Set([...some, ...others])].sort())
}

/** @returns what is left of labels without some of them */
export function withoutLabels(labels: Labels, released: Labels): Labels {
  if (labels.length === 0 || released.length === 0) return labels
  const rest = labels.filter((label) => !released.includes(label))
  return rest.length === 0 ? noLabels : Object.freeze(rest)
}
