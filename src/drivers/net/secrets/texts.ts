/** Takes secrets out of a value that is no bytes: of every text, key and number in it. */
import type { Json } from '../../../json.ts'
import { step } from './escapes.ts'
import type { Redactor } from './redactor.ts'

/**
 * @param value JSON, such as what a tool gave
 * @returns the same value where it holds no secret; else with `[secret:NAME]` in place of each. A number that holds one
 *   becomes text, and keys that became the same are numbered
 */
export async function withoutSecrets(value: Json, redactor: Redactor): Promise<Json> {
  let changed = false
  let since = 0
  const clean = async (text: string): Promise<string> => {
    since += text.length + 1
    if (since > step) {
      since = 0
      await new Promise((resolve) => setImmediate(resolve))
    }
    // All forms of a value are ASCII: one is not found in fewer characters than it has.
    if (text.length < redactor.shortest) return text
    const cleaned = text.length > step ? await longText(text, redactor) : redactor.text(text)
    changed ||= cleaned !== text
    return cleaned
  }
  const walk = async (part: Json): Promise<Json> => {
    if (typeof part === 'string') return clean(part)
    if (typeof part === 'number') {
      const text = String(part)
      const cleaned = text.length < redactor.shortest ? text : await clean(text)
      return cleaned === text ? part : cleaned
    }
    if (typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) {
      const items: Json[] = []
      for (const item of part) items.push(await walk(item))
      return items
    }
    const made = new Map<string, Json>()
    for (const [key, item] of Object.entries(part)) {
      const cleaned = await clean(key)
      let free = cleaned
      for (let count = 2; made.has(free); count += 1) free = `${cleaned} ${count}`
      made.set(free, await walk(item))
    }
    return Object.fromEntries(made)
  }
  const cleaned = await walk(value)
  return changed ? cleaned : value
}

async function longText(text: string, redactor: Redactor): Promise<string> {
  const bytes = Buffer.from(text, 'utf8')
  const cleaned = await redactor.body(bytes)
  return cleaned === bytes ? text : Buffer.from(cleaned).toString('utf8')
}
