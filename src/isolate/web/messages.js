// MessageChannel and MessagePort: two ends in one program, what is sent copied, and delivered in a later turn.
import { expose } from './lib/expose.js'

const { defineHandler, EventTarget, MessageEvent } = web.need('events')
const states = new WeakMap()
let making = false

export class MessagePort extends EventTarget {
  constructor() {
    if (!making) throw new TypeError('Illegal constructor')
    super()
    states.set(this, { other: undefined, queue: [], started: false, closed: false, waiting: false })
  }
  postMessage(message, options) {
    const transfer = Array.isArray(options) ? options : options?.transfer
    const data = web.need('clone').structuredClone(message, { transfer })
    const { other, closed } = states.get(this)
    if (closed || other === undefined || states.get(other).closed) return
    states.get(other).queue.push(data)
    deliverSoon(other)
  }
  start() {
    states.get(this).started = true
    deliverSoon(this)
  }
  close() {
    states.get(this).closed = true
  }
  // Ports keep nothing alive here; Node.js has these, and packages call them.
  ref() {}
  unref() {}
}
defineHandler(MessagePort, 'messageerror')
defineHandler(MessagePort, 'message')
const { get, set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
Object.defineProperty(MessagePort.prototype, 'onmessage', {
  get,
  set(handler) {
    Reflect.apply(set, this, [handler])
    this.start()
  },
  configurable: true,
  enumerable: true,
})

/** One timer for all that waits. */
function deliverSoon(port) {
  const state = states.get(port)
  if (!state.started || state.waiting || state.queue.length === 0) return
  state.waiting = true
  web.setTimer(
    () => {
      state.waiting = false
      for (const data of state.queue.splice(0))
        if (!state.closed) port.dispatchEvent(new MessageEvent('message', { data }))
    },
    0,
    false,
  )
}

const channels = new WeakMap()

function makePort() {
  making = true
  try {
    return new MessagePort()
  } finally {
    making = false
  }
}

export class MessageChannel {
  constructor() {
    const ports = [makePort(), makePort()]
    states.get(ports[0]).other = ports[1]
    states.get(ports[1]).other = ports[0]
    channels.set(this, ports)
  }
  get port1() {
    return channels.get(this)[0]
  }
  get port2() {
    return channels.get(this)[1]
  }
}

expose({ MessageChannel, MessagePort })
