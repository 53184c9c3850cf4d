// User space, before any agent code runs: the doors to the kernel, its clock and its randomness.
//
// Called once in each new isolate with
//   post(number, name, text)  hands one syscall to the kernel; only text crosses
//   bootText                  JSON: { time, seed, doors: [{ name, params, bytes }] }
//   argsText                  the program's arguments as a JSON array
//   traced                    the number of a call whose stack is posted too, as call 0; 0 for none
//   webText(family)           the source text of a family of the web runtime, at once
//   families                  family → the names that it has among the globals
//   dates                     what zone.js gives; undefined where V8's own dates are in UTC
// It returns `deliver`, which only the kernel holds. `start` lies among the globals until the module that
// runs first takes it away, before agent code.
// Primordials are captured here, so that what agent code does to prototypes can confuse only itself.

// biome-ignore lint/correctness/noUnusedVariables: called by the line that bootstrap-text.ts adds
function bootstrap(post, bootText, argsText, traced, webText, families, dates) {
  const boot = JSON.parse(bootText)

  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect
  const { freeze, hasOwn, is: isSame } = Object
  const { parse, stringify } = JSON
  const { isArray } = Array
  const { isFinite: isFiniteNumber } = Number
  const { floor } = Math
  const NativeDate = Date
  const NativeError = Error
  const NativePromise = Promise
  const NativeProxy = Proxy
  const uncurry =
    (method) =>
    (self, ...rest) =>
      apply(method, self, rest)
  const mapGet = uncurry(Map.prototype.get)
  const mapSet = uncurry(Map.prototype.set)
  const mapDelete = uncurry(Map.prototype.delete)
  const promiseThen = uncurry(Promise.prototype.then)
  const functionText = uncurry(Function.prototype.toString)
  const charCodeAt = uncurry(String.prototype.charCodeAt)
  const indexOf = uncurry(String.prototype.indexOf)
  const isWellFormed = uncurry(String.prototype.isWellFormed)
  const join = uncurry(Array.prototype.join)
  const split = uncurry(String.prototype.split)
  const push = uncurry(Array.prototype.push)
  const objectKeys = Object.keys
  const { isView } = ArrayBuffer
  const NativeUint8Array = Uint8Array
  const typedArrayTag = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get
  // biome-ignore lint/security/noGlobalEval: of the kernel's own texts; called by this name it sees the globals, not this function
  const evaluate = eval
  const objectPrototype = Object.prototype

  // -- What crosses: JSON, or a refusal that names the path ---------------------------------------------------

  function fault(code, message) {
    const error = new NativeError(message)
    defineProperty(error, 'name', { __proto__: null, value: 'SyscallError', configurable: true })
    defineProperty(error, 'code', { __proto__: null, value: code, enumerable: true })
    const { stack } = error
    if (typeof stack === 'string')
      defineProperty(error, 'stack', { __proto__: null, value: ownFrames(stack), configurable: true })
    return error
  }

  function notJson(path, what) {
    return fault('EINVAL', `EINVAL: \`${path}\` is ${what}; only JSON crosses to the kernel`)
  }

  function assertJson(value, path, depth) {
    const type = typeof value
    if (value === null || type === 'boolean') return
    if (type === 'string') {
      if (!isWellFormed(value)) throw notJson(path, 'a string with a lone surrogate')
      return
    }
    if (type === 'number') {
      if (!isFiniteNumber(value) || isSame(value, -0))
        throw notJson(path, isSame(value, -0) ? '-0' : `${value}`)
      return
    }
    if (type !== 'object') throw notJson(path, type === 'undefined' ? 'undefined' : `a ${type}`)
    if (depth > 60) throw notJson(path, 'nested too deep, or a cycle')
    if (isArray(value)) {
      for (let index = 0; index < value.length; index += 1)
        assertJson(value[index], `${path}[${index}]`, depth + 1)
      return
    }
    const prototype = getPrototypeOf(value)
    if (prototype !== objectPrototype && prototype !== null) throw notJson(path, 'an object of a class')
    if (typeof value.toJSON === 'function') throw notJson(path, 'an object with a method toJSON')
    const keys = ownKeys(value)
    for (let index = 0; index < keys.length; index += 1) {
      if (typeof keys[index] === 'symbol') throw notJson(path, 'an object with a symbol as key')
      assertJson(value[keys[index]], `${path}.${keys[index]}`, depth + 1)
    }
  }

  // -- Syscalls -----------------------------------------------------------------------------------------------

  const pending = new Map()
  let lastNumber = 0
  // More than the kernel admits at once: what is past it would only be refused there, at the kernel's expense.
  const pendingMax = 4_096
  const pendingLengthMax = 50_331_648
  let pendingCount = 0
  let pendingLength = 0

  /** Sends one syscall; the promise settles when the kernel delivers the reply. */
  function sys(name, args = {}) {
    return send(name, args).reply
  }

  /** @param always whether it leaves whatever waits: the end of the program, and of a handler */
  function send(name, args, always = false) {
    assertJson(args, 'args', 0)
    const text = stringify(args)
    // Agent code may have changed what an object is turned into; the kernel refuses what is no text.
    const length = typeof text === 'string' ? text.length : 0
    lastNumber += 1
    const number = lastNumber
    if (!always && (pendingCount >= pendingMax || pendingLength + length > pendingLengthMax)) {
      const why = `EAGAIN: ${name}: ${pendingCount} calls wait for their replies already; await some first`
      return { number, reply: NativePromise.reject(fault('EAGAIN', why)) }
    }
    pendingCount += 1
    pendingLength += length
    const reply = new NativePromise((resolve, reject) =>
      mapSet(pending, number, { __proto__: null, resolve, reject, length }),
    )
    if (number === traced) trace()
    post(number, `${name}`, text)
    return { number, reply }
  }

  function trace() {
    const { stack } = new NativeError()
    post(0, 'trace', typeof stack === 'string' ? ownFrames(stack) : '')
  }

  // -- Time and chance: the kernel's --------------------------------------------------------------------------

  const startedAt = boot.time
  let now = boot.time
  const dateText = uncurry(Date.prototype.toString)
  const argumentsOf = (given) =>
    given.length === 0 ? [now] : dates === undefined ? given : [dates.timeOf(given)]

  function GuestDate(...args) {
    if (new.target === undefined) return dateText(new NativeDate(now))
    return construct(NativeDate, argumentsOf(args), new.target)
  }
  GuestDate.prototype = NativeDate.prototype
  defineProperty(GuestDate, 'name', { value: 'Date' })
  defineProperty(GuestDate, 'length', { value: 7 })
  GuestDate.UTC = NativeDate.UTC
  GuestDate.parse = dates?.parse ?? NativeDate.parse
  GuestDate.now = () => now
  NativeDate.prototype.constructor = GuestDate

  // Without a date these format the host's own now.
  const dateFormats = Intl.DateTimeFormat.prototype
  const { get: formatOf } = getOwnPropertyDescriptor(dateFormats, 'format')
  const formatToParts = uncurry(dateFormats.formatToParts)
  defineProperty(dateFormats, 'format', {
    get() {
      const format = apply(formatOf, this, [])
      return (date) => format(date === undefined ? now : date)
    },
    configurable: true,
  })
  defineProperty(dateFormats, 'formatToParts', {
    value(date) {
      return formatToParts(this, date === undefined ? now : date)
    },
    writable: true,
    configurable: true,
  })

  /** ChaCha20 block function (RFC 8439, section 2.3) as a key stream; the seed is the key. */
  const chacha = (() => {
    const state = new Uint32Array(16)
    const block = new Uint32Array(16)
    let used = 16
    let seeded = false
    const rotate = (value, count) => (value << count) | (value >>> (32 - count))
    const quarter = (a, b, c, d) => {
      block[a] += block[b]
      block[d] = rotate(block[d] ^ block[a], 16)
      block[c] += block[d]
      block[b] = rotate(block[b] ^ block[c], 12)
      block[a] += block[b]
      block[d] = rotate(block[d] ^ block[a], 8)
      block[c] += block[d]
      block[b] = rotate(block[b] ^ block[c], 7)
    }
    const seedState = () => {
      state[0] = 0x61707865
      state[1] = 0x3320646e
      state[2] = 0x79622d32
      state[3] = 0x6b206574
      for (let word = 0; word < 8; word += 1) {
        let value = 0
        for (let byte = 3; byte >= 0; byte -= 1) {
          const at = (word * 4 + byte) * 2
          value = (value << 8) | ((hexDigit(boot.seed, at) << 4) | hexDigit(boot.seed, at + 1))
        }
        state[4 + word] = value
      }
      seeded = true
    }
    const refill = () => {
      if (!seeded) seedState()
      for (let index = 0; index < 16; index += 1) block[index] = state[index]
      for (let round = 0; round < 10; round += 1) {
        quarter(0, 4, 8, 12)
        quarter(1, 5, 9, 13)
        quarter(2, 6, 10, 14)
        quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15)
        quarter(1, 6, 11, 12)
        quarter(2, 7, 8, 13)
        quarter(3, 4, 9, 14)
      }
      for (let index = 0; index < 16; index += 1) block[index] += state[index]
      state[12] += 1
      if (state[12] === 0) state[13] += 1
      used = 0
    }
    return () => {
      if (used === 16) refill()
      const word = block[used]
      used += 1
      return word
    }
  })()

  function hexDigit(text, at) {
    const code = charCodeAt(text, at)
    return code <= 57 ? code - 48 : code - 87
  }

  /** 53 random bits, as V8's own Math.random gives. */
  const random = () => ((chacha() >>> 5) * 67_108_864 + (chacha() >>> 6)) / 9_007_199_254_740_992

  const randomQuota = 65_536

  /** Whether it is an array of whole numbers: the tag of others is undefined, or that of floats. */
  function isInteger(array) {
    const tag = apply(typedArrayTag, array, [])
    return tag !== undefined && tag[0] !== 'F'
  }

  function fillRandomly(bytes) {
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = chacha()
  }

  /** Classes whose one object is made here have no constructor that agent code could use. */
  let making = false
  function assertMaking() {
    if (!making) throw new TypeError('Illegal constructor')
  }
  function makeOnly(Class) {
    making = true
    const only = new Class()
    making = false
    return only
  }

  class Crypto {
    constructor() {
      assertMaking()
    }
    /** Fills an integer typed array of at most 65,536 bytes, as the Web Crypto API says. */
    getRandomValues(array) {
      if (!isView(array) || !isInteger(array))
        throw domException('TypeMismatchError', 'getRandomValues takes an integer typed array')
      if (array.byteLength > randomQuota)
        throw domException('QuotaExceededError', `getRandomValues fills at most ${randomQuota} bytes a call`)
      fillRandomly(new NativeUint8Array(array.buffer, array.byteOffset, array.byteLength))
      return array
    }
    randomUUID() {
      const hex = []
      for (let index = 0; index < 16; index += 1) {
        let byte = chacha() & 255
        if (index === 6) byte = (byte & 15) | 64
        if (index === 8) byte = (byte & 63) | 128
        push(
          hex,
          `${index === 4 || index === 6 || index === 8 || index === 10 ? '-' : ''}${byte < 16 ? '0' : ''}${byte.toString(16)}`,
        )
      }
      return join(hex, '')
    }
    get subtle() {
      return need('crypto').subtle
    }
  }

  // -- Bytes --------------------------------------------------------------------------------------------------

  const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

  function toBase64(bytes) {
    const parts = []
    let part = ''
    for (let index = 0; index < bytes.length; index += 3) {
      const triple = (bytes[index] << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
      part += base64Alphabet[triple >> 18] + base64Alphabet[(triple >> 12) & 63]
      part += index + 1 < bytes.length ? base64Alphabet[(triple >> 6) & 63] : '='
      part += index + 2 < bytes.length ? base64Alphabet[triple & 63] : '='
      if (part.length > 8_000) {
        push(parts, part)
        part = ''
      }
    }
    push(parts, part)
    return join(parts, '')
  }

  const base64Values = (() => {
    const values = new Uint8Array(128)
    for (let index = 0; index < 64; index += 1) values[charCodeAt(base64Alphabet, index)] = index
    return values
  })()

  function fromBase64(text) {
    const padding = text.length === 0 ? 0 : indexOf(text, '=') < 0 ? 0 : text.length - indexOf(text, '=')
    const bytes = new Uint8Array((text.length / 4) * 3 - padding)
    let at = 0
    for (let index = 0; index < text.length; index += 4) {
      let quad = 0
      for (let digit = 0; digit < 4; digit += 1)
        quad = (quad << 6) | base64Values[charCodeAt(text, index + digit)]
      for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) {
        bytes[at] = quad >> shift
        at += 1
      }
    }
    return bytes
  }

  /** Text travels as `text`, bytes as `base64`; the same both ways. */
  function packData(data) {
    if (typeof data === 'string') return { text: data }
    if (data instanceof Uint8Array) return { base64: toBase64(data) }
    throw fault('EINVAL', 'EINVAL: data is neither a string nor a Uint8Array')
  }

  // Own fields only: agent code may have given every object others.
  const unpackData = (reply) => (hasOwn(reply, 'base64') ? fromBase64(reply.base64) : reply.text)

  // -- Doors from the syscall table ---------------------------------------------------------------------------

  function makeDoor(door) {
    return (...given) => {
      const args = { __proto__: null }
      const named = door.params.length
      for (let index = 0; index < named && index < given.length; index += 1) {
        if (given[index] === undefined) continue
        if (door.params[index] === 'data') mergeInto(args, packData(given[index]))
        else args[door.params[index]] = given[index]
      }
      const options = named < given.length ? given[named] : undefined
      if (options !== undefined && options !== null) mergeInto(args, options)
      const reply = sys(door.name, args)
      return door.bytes ? promiseThen(reply, unpackData) : reply
    }
  }

  function mergeInto(target, source) {
    const keys = objectKeys(source)
    for (let index = 0; index < keys.length; index += 1) {
      const value = source[keys[index]]
      if (value !== undefined) target[keys[index]] = value
    }
  }

  const doors = {}
  for (let index = 0; index < boot.doors.length; index += 1) {
    const door = boot.doors[index]
    const dot = indexOf(door.name, '.')
    const family = door.name.slice(0, dot)
    doors[family] ??= {}
    doors[family][door.name.slice(dot + 1)] = makeDoor(door)
  }

  // -- Pipes: values of another agent, one after another ------------------------------------------------------

  const pipeDoor = async (options = {}) => {
    const reply = await sys('ipc.pipe', options)
    return hasOwn(options, 'to') && options.to !== undefined
      ? pipeWriter(reply, options.to)
      : pipeReader(reply)
  }

  /** One call of a pipe after another, also where agent code does not wait. */
  function inOrder() {
    let last = NativePromise.resolve()
    return (work) => {
      const next = promiseThen(last, work, work)
      last = next
      promiseThen(next, undefined, () => {})
      return next
    }
  }

  function pipeWriter({ stream }, to) {
    const queue = inOrder()
    return freeze({
      stream,
      to,
      write: (value) => queue(() => sys('stream.write', { stream, value })),
      close: () => queue(() => sys('stream.close', { stream })),
    })
  }

  function pipeReader({ stream, from, pid, schema }) {
    const queue = inOrder()
    let isOver = false
    const read = async () => {
      if (isOver) return { done: true, value: undefined }
      const reply = await sys('stream.read', { stream })
      isOver = reply.done
      return { done: isOver, value: reply.value }
    }
    const end = async () => {
      if (!isOver) await sys('stream.close', { stream })
      isOver = true
    }
    const next = () => queue(read)
    const close = () => queue(end)
    const iterator = {
      next,
      return: async (value) => {
        await close()
        return { done: true, value }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return freeze({ stream, from, pid, schema, next, close, [Symbol.asyncIterator]: () => iterator })
  }

  const tools = new NativeProxy(freeze({}), {
    get: (_target, name) => {
      if (typeof name !== 'string' || name === 'then') return undefined
      return (args = {}) => sys('tool.call', { name, args })
    },
  })

  // -- The web runtime: loaded when agent code touches a name of it ------------------------------------------------

  const loaded = { __proto__: null }

  /** @returns what a family exports; its text is evaluated the first time */
  function need(family) {
    const known = loaded[family]
    if (known !== undefined) return known
    const exported = evaluate(webText(family))(web)
    loaded[family] = exported
    return exported
  }

  function domException(name, message) {
    const { DOMException } = need('events')
    return new DOMException(message, name)
  }

  const putValue = (object, name, value, enumerable) =>
    defineProperty(object, name, {
      __proto__: null,
      value,
      writable: true,
      configurable: true,
      enumerable,
    })

  /** A property that becomes an ordinary one when it is read for the first time, or written. */
  function defineLazily(object, name, enumerable, family) {
    const accessor = {
      __proto__: null,
      get() {
        const value = need(family)[name]
        const current = getOwnPropertyDescriptor(object, name)
        if (current !== undefined && hasOwn(current, 'get') && current.get === accessor.get)
          putValue(object, name, value, enumerable)
        return value
      },
      set(value) {
        const target = this === undefined ? object : this
        putValue(target, name, value, target === object ? enumerable : true)
      },
      configurable: true,
      enumerable,
    }
    defineProperty(object, name, accessor)
  }

  function defineAllLazily(object, names, enumerable, family) {
    for (let index = 0; index < names.length; index += 1)
      defineLazily(object, names[index], enumerable, family)
  }

  /** What the families are given beside the language. */
  const web = {
    __proto__: null,
    need,
    /** What packages find in place of the global object. */
    scope: {
      __proto__: null,
      get DOMException() {
        return need('events').DOMException
      },
    },
    domException,
    send,
    fault,
    show: (value, within) => show(value, 0, within),
    output,
    now: () => now,
    elapsed: () => now - startedAt,
    setTimer: (handler, ms, repeat) => setTimer(handler, ms, [], repeat),
    clearTimer: (id) => clearTimer(id),
    fromBase64,
    toBase64,
    makeOnly,
    assertMaking,
    randomBytes(length) {
      const bytes = new NativeUint8Array(length)
      fillRandomly(bytes)
      return bytes
    },
  }

  // -- Models: a reply as it is written ------------------------------------------------------------------------

  /** The parts of a reply; asked for when the first is wanted, and ended when no more are. */
  async function* streamModel(options) {
    const args = { __proto__: null }
    mergeInto(args, options)
    const opened = await sys('llm.stream', args)
    if (hasOwn(opened, 'whole')) {
      yield* partsOf(opened.whole)
      return
    }
    const { stream } = opened
    let isOpen = true
    try {
      for (;;) {
        isOpen = false
        const reply = await sys('stream.read', { stream })
        if (reply.done) return
        isOpen = true
        yield reply.value
      }
    } finally {
      if (isOpen) await sys('stream.close', { stream })
    }
  }

  function* partsOf({ text, reasoning, toolCalls, ...finish }) {
    if (reasoning !== undefined) yield { type: 'reasoning', text: reasoning }
    if (text !== '') yield { type: 'text', text }
    for (let index = 0; index < toolCalls.length; index += 1) yield { type: 'tool-call', ...toolCalls[index] }
    yield { type: 'finish', ...finish }
  }

  // -- Timers: the kernel's clock -----------------------------------------------------------------------------

  const timers = new Map()
  let lastTimer = 0

  function setTimer(handler, ms, args, repeat) {
    if (typeof handler !== 'function') throw new TypeError('a timer takes a function')
    lastTimer += 1
    const id = lastTimer
    const delay = ms > 1 && isFiniteNumber(ms) ? floor(ms) : 1
    const arm = () => {
      const call = send('clock.sleep', { ms: delay })
      mapSet(timers, id, call.number)
      promiseThen(
        call.reply,
        () => {
          if (mapGet(timers, id) !== call.number) return
          if (repeat) arm()
          else mapDelete(timers, id)
          apply(handler, undefined, args)
        },
        (error) => {
          if (mapGet(timers, id) === call.number) throw error
        },
      )
    }
    arm()
    return id
  }

  function clearTimer(id) {
    const call = mapGet(timers, id)
    if (call === undefined) return
    mapDelete(timers, id)
    promiseThen(sys('clock.cancel', { call }), undefined, () => {})
  }

  // -- Console: the process's output --------------------------------------------------------------------------

  function show(value, depth = 0, within = false) {
    const type = typeof value
    if (type === 'string') return within ? stringify(value) : value
    if (type === 'bigint') return `${value}n`
    if (type === 'symbol' || value === null || type !== 'object')
      return type === 'function' ? `[function ${value.name || 'anonymous'}]` : String(value)
    if (value instanceof NativeError) return errorText(value, depth)
    if (depth > 3) return isArray(value) ? '[…]' : '{…}'
    if (value instanceof Map) return `Map ${show([...value], depth, true)}`
    if (value instanceof Set) return `Set ${show([...value], depth, true)}`
    if (value instanceof NativeDate) return value.toISOString()
    const parts = []
    const keys = isArray(value) ? value : objectKeys(value)
    for (let index = 0; index < keys.length && index < 100; index += 1) {
      push(
        parts,
        isArray(value)
          ? show(value[index], depth + 1, true)
          : `${keys[index]}: ${show(value[keys[index]], depth + 1, true)}`,
      )
    }
    if (keys.length > 100) push(parts, `… ${keys.length - 100} more`)
    if (isArray(value)) return `[${join(parts, ', ')}]`
    return parts.length === 0 ? '{}' : `{ ${join(parts, ', ')} }`
  }

  /** A stack says most; where it was made before the message was, or is none, name and message do. */
  function errorText(error, depth) {
    const text = typeof error.stack === 'string' ? ownFrames(error.stack) : `${error.name}: ${error.message}`
    return error.cause === undefined || depth > 3
      ? text
      : `${text}\n[cause]: ${show(error.cause, depth + 1, true)}`
  }

  // So many calls with output go out before the first is answered; what follows is put together.
  const printingMax = 64
  const printedAtOnceMax = 65_536
  let printing = 0
  /** The last output call that is under way. */
  let printed = NativePromise.resolve()
  /** What is to be printed: stream and text. */
  const backlog = []
  let backlogFrom = 0

  /** Settles when everything printed so far has left the kernel: an exit would cut short what is still on its way. */
  async function allPrinted() {
    while (printing > 0) await printed
  }

  function output(stream, text) {
    if (printing < printingMax) return sendOutput(stream, text)
    const last = backlog.length > backlogFrom ? backlog[backlog.length - 1] : undefined
    if (last !== undefined && last.stream === stream && last.text.length < printedAtOnceMax) last.text += text
    else push(backlog, { __proto__: null, stream, text })
  }

  function sendOutput(stream, text) {
    printing += 1
    printed = promiseThen(sys('proc.output', { __proto__: null, stream, text }), outputDone, outputDone)
  }

  function outputDone() {
    printing -= 1
    if (backlogFrom === backlog.length) return
    const { stream, text } = backlog[backlogFrom]
    backlogFrom += 1
    if (backlogFrom === backlog.length) {
      backlog.length = 0
      backlogFrom = 0
    }
    sendOutput(stream, text)
  }

  const print =
    (stream) =>
    (...values) => {
      const parts = []
      for (let index = 0; index < values.length; index += 1) push(parts, show(values[index]))
      const text = `${join(parts, ' ')}\n`
      output(stream, isWellFormed(text) ? text : text.toWellFormed())
    }

  const out = print('stdout')
  const err = print('stderr')

  /** The first five are here; what the others need is loaded with the first of them. */
  const consoleDoor = { log: out, info: out, debug: out, warn: err, error: err }
  const moreOfConsole = [
    ...['assert', 'count', 'countReset', 'dir', 'dirxml', 'group', 'groupCollapsed', 'groupEnd', 'table'],
    ...['time', 'timeLog', 'timeEnd', 'trace', 'clear'],
  ]
  defineAllLazily(consoleDoor, moreOfConsole, true, 'console')

  class Performance {
    constructor() {
      assertMaking()
    }
    now() {
      return now - startedAt
    }
    get timeOrigin() {
      return startedAt
    }
    toJSON() {
      return { timeOrigin: startedAt }
    }
  }
  const moreOfPerformance = [
    ...['mark', 'measure', 'clearMarks', 'clearMeasures'],
    ...['getEntries', 'getEntriesByName', 'getEntriesByType'],
  ]
  defineAllLazily(Performance.prototype, moreOfPerformance, false, 'performance')

  // -- Processes and signals ----------------------------------------------------------------------------------

  const handlers = new Map()

  function programArguments(program, options) {
    const source = typeof program === 'function' ? `export default (${functionText(program)})` : program
    const args = { __proto__: null, source }
    mergeInto(args, options)
    return args
  }

  const processDoor = {
    ...doors.proc,
    /** Starts a child from a module's source text, or from a function that uses nothing outside itself. */
    spawn: (program, options = {}) => sys('proc.spawn', programArguments(program, options)),
    /** The same, of whose doings nothing comes back but one value of a narrow schema. */
    extract: (program, options = {}) => sys('proc.extract', programArguments(program, options)),
    /** Handles a signal: a function, 'default' or 'ignore'. */
    on: async (signal, handler) => {
      const disposition = typeof handler === 'function' ? 'handler' : handler
      await sys('proc.sigaction', { signal, disposition })
      if (disposition === 'handler') mapSet(handlers, signal, handler)
      else mapDelete(handlers, signal)
    },
  }

  async function handleSignal(number, signal) {
    const handler = mapGet(handlers, signal)
    if (handler !== undefined) await handler(signal)
    await allPrinted()
    await send('proc.sigreturn', { signal: number }, true).reply
  }

  // -- What the kernel calls ----------------------------------------------------------------------------------

  /** One turn: the kernel's time, then replies and signals in the order of the record. */
  function deliver(time, batch) {
    now = time
    const messages = parse(batch)
    for (let index = 0; index < messages.length; index += 1) {
      const number = messages[index][0]
      const reply = messages[index][1]
      if (hasOwn(reply, 'signal')) {
        handleSignal(number, reply.signal)
        continue
      }
      const call = mapGet(pending, number)
      if (call === undefined) continue
      mapDelete(pending, number)
      pendingCount -= 1
      pendingLength -= call.length
      if (hasOwn(reply, 'ok')) call.resolve(reply.ok)
      else call.reject(fault(reply.error.code, reply.error.message))
    }
  }

  /** Runs the program: calls its default export, where that is a function, and exits with what it gives. */
  async function start(program) {
    let value
    try {
      const main = program.default
      value = typeof main === 'function' ? await apply(main, undefined, parse(argsText)) : undefined
      if (value !== undefined) assertJson(value, 'result', 0)
    } catch (error) {
      const described = describe(error)
      await allPrinted()
      send('proc.exit', { error: described }, true)
      return
    }
    await allPrinted()
    send('proc.exit', value === undefined ? {} : { value }, true)
  }

  /** A stack without the frames of this file. */
  function ownFrames(stack) {
    const lines = split(stack, '\n')
    const own = []
    for (let index = 0; index < lines.length; index += 1) {
      const isOurs = indexOf(lines[index], 'gatehouse:') >= 0 || indexOf(lines[index], '<isolated-vm') >= 0
      if (!isOurs) push(own, lines[index])
    }
    return join(own, '\n')
  }

  function describe(error) {
    const text = (value, fallback) =>
      typeof value === 'string' ? value.slice(0, 4_000).toWellFormed() : fallback
    if (!(error instanceof NativeError))
      return { name: 'Error', message: text(show(error), 'an unknown value was thrown') }
    const described = {
      name: text(error.name, 'Error'),
      message: text(error.message, ''),
      stack: ownFrames(text(error.stack, '')),
    }
    if (typeof error.code === 'string') described.code = text(error.code, '')
    // Packages wrap what their requests were refused with; who looks at how the process ended has to see it.
    let { cause } = error
    for (let depth = 0; depth < 4 && cause instanceof NativeError; depth += 1) {
      const { message, code } = cause
      if (typeof code === 'string' && described.code === undefined) described.code = text(code, '')
      if (typeof message === 'string' && indexOf(described.message, message) < 0)
        described.message = text(`${described.message}; caused by: ${message}`, '')
      cause = cause.cause
    }
    return described
  }

  // -- Globals ------------------------------------------------------------------------------------------------

  // Each of these is memory outside the heap limit, a way to block the thread, or not deterministic.
  const removed = [
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'WeakRef',
    'FinalizationRegistry',
    'Temporal',
  ]
  for (let index = 0; index < removed.length; index += 1) delete globalThis[removed[index]]

  Math.random = random

  const globals = {
    start,
    sys,
    fs: freeze(doors.fs),
    llm: freeze({ ...doors.llm, stream: streamModel }),
    ipc: freeze({ ...doors.ipc, pipe: pipeDoor }),
    proc: freeze(processDoor),
    tools,
    /** One net.fetch a hop, each judged by the gate. */
    fetch: async (input, init) => need('fetch').fetch(input, init),
    Date: GuestDate,
    Crypto,
    crypto: makeOnly(Crypto),
    Performance,
    performance: makeOnly(Performance),
    console: consoleDoor,
    self: globalThis,
    navigator: freeze({ userAgent: 'gatehouse' }),
    reportError: (error) => err('Uncaught', error),
    setTimeout: (handler, ms, ...args) => setTimer(handler, ms, args, false),
    setInterval: (handler, ms, ...args) => setTimer(handler, ms, args, true),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    queueMicrotask: (task) => {
      if (typeof task !== 'function') throw new TypeError('queueMicrotask takes a function')
      promiseThen(NativePromise.resolve(), () => task())
    },
  }
  for (const name of ownKeys(globals)) {
    defineProperty(globalThis, name, {
      value: globals[name],
      writable: true,
      configurable: true,
      enumerable: false,
    })
  }

  const familyNames = ownKeys(families)
  for (let index = 0; index < familyNames.length; index += 1)
    defineAllLazily(globalThis, families[familyNames[index]], false, familyNames[index])

  return deliver
}
