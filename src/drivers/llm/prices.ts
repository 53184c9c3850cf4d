/** What tokens cost: prices are stated by the application, in US dollars for a million tokens. */
import { KernelError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Usage } from './usage.ts'

/** A number, or a text such as `2.50`. */
type Money = string | number

/** US dollars for a million tokens. */
export interface PriceOption {
  readonly input: Money
  readonly output?: Money | undefined
  /** Of a prompt's tokens that the provider had kept from before; as `input` where left out. */
  readonly cachedInput?: Money | undefined
}

export interface Price {
  readonly input: number
  readonly output: number
  readonly cachedInput: number
}

/**
 * @param name of the model
 * @throws KernelError EINVAL for what is no price
 */
export function readPrice(name: string, { input, output = 0, cachedInput = input }: PriceOption): Price {
  const read = (key: string, value: Money): number => {
    const dollars = /^\d+(\.\d{1,9})?$/.test(String(value)) ? Number(value) : Number.NaN
    if (dollars <= limits.llmPriceMax) return dollars
    throw new KernelError(
      'EINVAL',
      `the option \`llm.prices.${name}.${key}\` of KernelSpace is not sound: it is US dollars for a million tokens, such as \`2.50\`, at most ${limits.llmPriceMax}`,
    )
  }
  return {
    input: read('input', input),
    output: read('output', output),
    cachedInput: read('cachedInput', cachedInput),
  }
}

/** @returns US dollars, rounded up to a billionth */
export function costOf(price: Price, { inputTokens, outputTokens, cachedTokens = 0 }: Usage): number {
  const cached = Math.min(cachedTokens, inputTokens)
  const dear = (inputTokens - cached) * price.input + cached * price.cachedInput + outputTokens * price.output
  // As a decimal first, so that rounding up does not add a part for a last binary digit.
  const parts = Number(((dear * limits.dollarParts) / limits.llmPriceTokens).toFixed(3))
  return Math.ceil(parts) / limits.dollarParts
}
