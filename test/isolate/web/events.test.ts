/** Events, listeners, aborting and DOMException, as the DOM standard has them. */
import { claims, thrownBy } from '../../support/claims.ts'

claims('events', {
  'listeners are called in order, those that capture first, each once': [
    `const target = new EventTarget(), seen = []
     const once = () => seen.push('once')
     target.addEventListener('x', () => seen.push('bubble'))
     target.addEventListener('x', once, { once: true })
     target.addEventListener('x', once, { once: true })
     target.addEventListener('x', { handleEvent: (event) => seen.push(event.type) }, true)
     target.dispatchEvent(new Event('x')); target.dispatchEvent(new Event('x'))
     return seen`,
    ['x', 'bubble', 'once', 'x', 'bubble'],
  ],
  'one that is taken away while an event is on its way is not called': [
    `const target = new EventTarget(), seen = []
     const second = () => seen.push('second')
     target.addEventListener('x', () => target.removeEventListener('x', second))
     target.addEventListener('x', second)
     target.dispatchEvent(new Event('x'))
     return seen`,
    [],
  ],
  'what a listener throws is printed, and the others go on': [
    `const target = new EventTarget(), seen = []
     target.addEventListener('x', () => { throw new Error('mine') })
     target.addEventListener('x', () => seen.push(1))
     return [target.dispatchEvent(new Event('x')), seen]`,
    [true, [1]],
  ],
  'stopImmediatePropagation, preventDefault and passive do what they say': [
    `const target = new EventTarget(), seen = []
     target.addEventListener('a', (event) => event.preventDefault(), { passive: true })
     const passive = target.dispatchEvent(new Event('a', { cancelable: true }))
     target.addEventListener('b', (event) => { event.preventDefault(); event.stopImmediatePropagation() })
     target.addEventListener('b', () => seen.push('never'))
     const event = new Event('b', { cancelable: true })
     return [passive, target.dispatchEvent(event), event.defaultPrevented, event.target === target, event.currentTarget, seen]`,
    [true, false, true, true, null, []],
  ],
  'an event cannot be dispatched while it is': [
    `const target = new EventTarget(), event = new Event('x')
     let name
     target.addEventListener('x', () => { try { target.dispatchEvent(event) } catch (error) { name = error.name } })
     target.dispatchEvent(event)
     return name`,
    'InvalidStateError',
  ],
  'a signal takes a listener away': [
    `const target = new EventTarget(), controller = new AbortController(), seen = []
     target.addEventListener('x', () => seen.push(1), { signal: controller.signal })
     target.dispatchEvent(new Event('x')); controller.abort(); target.dispatchEvent(new Event('x'))
     return seen`,
    [1],
  ],
  'events with fields of their own': [
    `const custom = new CustomEvent('c', { detail: { a: 1 } }), message = new MessageEvent('m', { data: 2 })
     const error = new ErrorEvent('e', { message: 'why', lineno: 3 })
     return [custom.detail.a, new CustomEvent('c').detail, message.data, message.ports, error.message, error.lineno,
       custom instanceof Event, Object.prototype.toString.call(custom)]`,
    [1, null, 2, [], 'why', 3, true, '[object CustomEvent]'],
  ],
  'a class of the program may be a target': [
    `class Desk extends EventTarget { ring() { this.dispatchEvent(new Event('ring')) } }
     const desk = new Desk(); let rung = 0
     desk.addEventListener('ring', function () { if (this === desk) rung += 1 }); desk.ring()
     return rung`,
    1,
  ],
})

claims('aborting', {
  'happens once, with the reason, before anybody is told': [
    `const controller = new AbortController(), { signal } = controller, seen = []
     signal.onabort = (event) => seen.push(event.type, signal.aborted, signal.reason)
     controller.abort('mine'); controller.abort('again')
     return [seen, ${thrownBy('signal.throwIfAborted()')}]`,
    [['abort', true, 'mine'], 'mine'],
  ],
  'without a reason it is an AbortError': [
    `const { reason } = AbortSignal.abort()
     return [reason.name, reason.code, reason instanceof DOMException, reason instanceof Error, DOMException.ABORT_ERR]`,
    ['AbortError', 20, true, true, 20],
  ],
  'a timeout is a TimeoutError, on the kernel’s clock': [
    `const signal = AbortSignal.timeout(2)
     await new Promise((resolve) => signal.addEventListener('abort', resolve))
     return signal.reason.name`,
    'TimeoutError',
  ],
  'any of several, and what depends on what depends': [
    `const one = new AbortController(), other = new AbortController()
     const any = AbortSignal.any([one.signal, other.signal]), above = AbortSignal.any([any]), order = []
     for (const [name, signal] of [['above', above], ['any', any], ['other', other.signal]])
       signal.addEventListener('abort', () => order.push(name + above.aborted))
     other.abort('why')
     return [order, above.reason, one.signal.aborted, AbortSignal.any([AbortSignal.abort(1)]).reason, AbortSignal.any([]).aborted]`,
    [['othertrue', 'anytrue', 'abovetrue'], 'why', false, 1, false],
  ],
  'nobody makes a signal but the controller': [`return ${thrownBy('new AbortSignal()')}`, 'TypeError'],
})

claims('DOMException', {
  'has name, code, cause and a stack of the program': [
    `function mine() { return new DOMException('no', { name: 'DataCloneError', cause: 5 }) }
     const error = mine()
     return [error.name, error.code, error.cause, error.message, String(error), error.stack.split('\\n')[0],
       error.stack.includes('mine'), error.stack.includes('gatehouse:'), new DOMException().name]`,
    [
      ...['DataCloneError', 25, 5, 'no', 'DataCloneError: no', 'DataCloneError: no'],
      ...[true, false, 'Error'],
    ],
  ],
})
