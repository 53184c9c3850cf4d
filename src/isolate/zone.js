// User space, before the bootstrap: one time zone and one locale, UTC and en-US, whatever the process around it has.
//
// V8 has one time zone and one default locale for a whole process, and an inline guest shares its application's. Where
// these are others, what would read them is replaced here: all that is local is in UTC, and the default locale is en-US.

// biome-ignore lint/correctness/noUnusedVariables: called by the line that bootstrap-text.ts adds
function fixZone() {
  const { apply, construct, defineProperty } = Reflect
  const nativeParse = Date.parse
  const nativeUtc = Date.UTC
  const prototype = Date.prototype
  const { isNaN: isNothing } = Number
  const { toPrimitive } = Symbol
  const uncurry =
    (method) =>
    (self, ...rest) =>
      apply(method, self, rest)
  const getTime = uncurry(prototype.getTime)
  const setTime = uncurry(prototype.setTime)
  const utcText = uncurry(prototype.toUTCString)
  const utcYear = uncurry(prototype.getUTCFullYear)
  const setUtcYear = uncurry(prototype.setUTCFullYear)
  const matches = uncurry(RegExp.prototype.test)
  const replace = uncurry(String.prototype.replace)
  const slice = uncurry(String.prototype.slice)

  /** @param methods by name; each takes the place of a method of V8's own */
  function put(owner, methods) {
    for (const name of Reflect.ownKeys(methods))
      defineProperty(owner, name, {
        __proto__: null,
        value: methods[name],
        writable: true,
        configurable: true,
      })
  }

  // -- Dates --------------------------------------------------------------------------------------------------

  for (const part of ['Date', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds'])
    put(prototype, {
      [`get${part}`]: prototype[`getUTC${part}`],
      [`set${part}`]: prototype[`setUTC${part}`],
    })

  /** `Thu, 01 Jan 1970 00:00:00 GMT`; a year has 4 digits or more, and may have a sign. */
  const dateOf = (text) =>
    `${slice(text, 0, 3)} ${slice(text, 8, 11)} ${slice(text, 5, 7)}${slice(text, 11, -13)}`
  const clockOf = (text) => `${slice(text, -12)}+0000 (Coordinated Universal Time)`
  const written = (date, write) => {
    const text = utcText(date)
    return isNothing(getTime(date)) ? text : write(text)
  }

  put(prototype, {
    getDay: prototype.getUTCDay,
    getYear() {
      return utcYear(this) - 1900
    },
    setYear(year) {
      const given = +year
      if (isNothing(given)) return setTime(this, given)
      const whole = Math.trunc(given)
      return setUtcYear(this, whole >= 0 && whole <= 99 ? whole + 1900 : whole)
    },
    getTimezoneOffset() {
      return isNothing(getTime(this)) ? NaN : 0
    },
    toString() {
      return written(this, (text) => `${dateOf(text)} ${clockOf(text)}`)
    },
    toDateString() {
      return written(this, dateOf)
    },
    toTimeString() {
      return written(this, clockOf)
    },
  })

  // Its results read the host's locale and zone by ways of their own.
  delete prototype.toTemporalInstant

  // -- Texts of dates: without a zone they mean the local one -----------------------------------------------------

  const isoDate = /^(?:\d{4}|[+-]\d{6})(?:-\d\d(?:-\d\d)?)?$/
  const isoLocal = /^(?:\d{4}|[+-]\d{6})(?:-\d\d(?:-\d\d)?)?T\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?$/i
  const comment = /\([^()]*\)|\([^)]*$/
  // As V8 reads them: a name of a zone, or a sign right behind the time or apart from the numbers after it.
  const zoneName = /\d.*?(?:utc?|gmt|z|[ecmp][sd]t)(?![a-z])/is
  const zoneWord = /(?:^|[^a-z])(?:utc?|gmt|z|[ecmp][sd]t)(?![a-z])/i
  const zoneSign = /:\d+(?:\.\d+)?[+-]|:.*(?:\+|(?:[^\da-z]|[ap]m)-)/is

  function parse(text) {
    if (matches(isoDate, text)) return nativeParse(text)
    if (matches(isoLocal, text)) return nativeParse(`${text}Z`)
    let bare = text
    while (matches(comment, bare)) bare = replace(bare, comment, ' ')
    const hasZone = (matches(zoneWord, bare) && matches(zoneName, bare)) || matches(zoneSign, bare)
    return nativeParse(hasZone ? text : `${bare} UTC`)
  }

  /** @returns what a date is made of in place of what was given: no text, and no numbers of a local time */
  function timeOf(given) {
    if (given.length > 1) return apply(nativeUtc, undefined, given)
    const value = given[0]
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
    const plain = isObject ? primitiveOf(value) : value
    return typeof plain === 'string' ? parse(plain) : plain
  }

  function primitiveOf(value) {
    try {
      return getTime(value)
    } catch {
      // It is no date.
    }
    const own = value[toPrimitive]
    if (own !== undefined && own !== null) return apply(own, value, ['default'])
    for (const name of ['valueOf', 'toString']) {
      const method = value[name]
      const plain = typeof method === 'function' ? apply(method, value, []) : value
      if (plain === null || (typeof plain !== 'object' && typeof plain !== 'function')) return plain
    }
    throw new TypeError('Cannot convert object to primitive value')
  }

  // -- The locale -------------------------------------------------------------------------------------------------

  const locale = 'en-US'

  /** @param supported of the service that is asked: where it has none of the locales, it takes the host's */
  const localesOf = (supported, locales) =>
    locales === undefined || supported(locales).length === 0 ? locale : locales

  const zoned = (options) => {
    if (options === undefined) return { __proto__: null, timeZone: 'UTC' }
    if (options === null || options.timeZone !== undefined) return options
    return { __proto__: options, timeZone: 'UTC' }
  }
  const asGiven = (options) => options

  const services = { __proto__: null }
  for (const name of Reflect.ownKeys(Intl)) {
    const Native = Intl[name]
    if (typeof Native !== 'function' || typeof Native.supportedLocalesOf !== 'function') continue
    const supported = uncurry(Native.supportedLocalesOf)
    services[name] = (locales) => supported(Native, locales)
    const optionsOf = name === 'DateTimeFormat' ? zoned : asGiven
    const argumentsOf = (given) => [localesOf(services[name], given[0]), optionsOf(given[1])]
    const Fixed = new Proxy(Native, {
      __proto__: null,
      construct: (_target, given, target) => construct(Native, argumentsOf(given), target),
      apply: (_target, self, given) => apply(Native, self, argumentsOf(given)),
    })
    put(Intl, { [name]: Fixed })
    put(Native.prototype, { constructor: Fixed })
  }

  /** Methods that take locales and options, and ask a service for both. */
  function localize(owner, name, service, optionsOf, first = 0) {
    const native = uncurry(owner[name])
    const supported = services[service]
    put(owner, {
      [name]: {
        [name](...given) {
          const locales = localesOf(supported, given[first])
          const options = optionsOf(given[first + 1])
          return first === 0 ? native(this, locales, options) : native(this, given[0], locales, options)
        },
      }[name],
    })
  }

  for (const name of ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'])
    localize(prototype, name, 'DateTimeFormat', zoned)
  localize(Number.prototype, 'toLocaleString', 'NumberFormat', asGiven)
  localize(BigInt.prototype, 'toLocaleString', 'NumberFormat', asGiven)
  localize(String.prototype, 'localeCompare', 'Collator', asGiven, 1)
  for (const name of ['toLocaleUpperCase', 'toLocaleLowerCase'])
    localize(String.prototype, name, 'Collator', asGiven)

  return {
    parse(text) {
      return parse(`${text}`)
    },
    timeOf,
  }
}
