// The module `node:querystring`: names and values of a form, as the query of a URL has them.

const escapeText = (text) => encodeURIComponent(text)

/** What is no sound escape stays as it is, as in Node.js. */
function unescapeText(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (all, hex) => {
      const code = Number.parseInt(hex, 16)
      return code < 128 ? String.fromCharCode(code) : all
    })
  }
}

const valueText = (value) =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  typeof value === 'bigint' ||
  Number.isFinite(value)
    ? `${value}`
    : ''

export function stringify(
  object,
  separator = '&',
  equals = '=',
  { encodeURIComponent: encode = escapeText } = {},
) {
  if (typeof object !== 'object' || object === null) return ''
  return Object.entries(object)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map(
        (each) => `${encode(name)}${equals}${encode(valueText(each))}`,
      ),
    )
    .join(separator)
}

export function parse(
  text,
  separator = '&',
  equals = '=',
  { maxKeys = 1_000, decodeURIComponent: decode = unescapeText } = {},
) {
  const found = { __proto__: null }
  if (typeof text !== 'string' || text === '') return found
  const parts = text.split(separator)
  for (const part of maxKeys > 0 ? parts.slice(0, maxKeys) : parts) {
    if (part === '') continue
    const at = part.indexOf(equals)
    const [name, value] = [
      at < 0 ? part : part.slice(0, at),
      at < 0 ? '' : part.slice(at + equals.length),
    ].map((each) => decode(each.replaceAll('+', ' ')))
    if (!(name in found)) found[name] = value
    else if (Array.isArray(found[name])) found[name].push(value)
    else found[name] = [found[name], value]
  }
  return found
}

export const encode = stringify
export const decode = parse
export { escapeText as escape, unescapeText as unescape }
export default { decode, encode, escape: escapeText, parse, stringify, unescape: unescapeText }
