// Conversions of Web IDL that URLs need; the package has others, and needs for them what user space does not have.

export const any = (value) => value

/** @throws TypeError for a symbol */
export function USVString(value, options = {}) {
  if (typeof value === 'symbol')
    throw new TypeError(
      `${options.context ?? 'The value'} is a symbol, which cannot be converted to a string`,
    )
  return String(value).toWellFormed()
}
