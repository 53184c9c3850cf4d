// DOMException, as Web IDL says.
import { expose, exposeConstants } from './expose.js'

/** Names that have a number of old. */
const codes = {
  ...{ IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5 },
  ...{ NoModificationAllowedError: 7, NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10 },
  ...{ InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14 },
  ...{ InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20 },
  ...{ URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24 },
  DataCloneError: 25,
}

/** Constants: `ABORT_ERR` for AbortError. */
const constants = {
  ...Object.fromEntries(
    Object.entries(codes).map(([name, code]) => [
      `${name
        .replace(/Error$/, '')
        .replace(/([a-z])([A-Z])/g, '$1_$2')
        .toUpperCase()}_ERR`,
      code,
    ]),
  ),
  ...{ DOMSTRING_SIZE_ERR: 2, NO_DATA_ALLOWED_ERR: 6, VALIDATION_ERR: 16 },
}

const names = new WeakMap()

export class DOMException extends Error {
  constructor(message = '', options = 'Error') {
    const isBag = typeof options === 'object' && options !== null
    super(`${message}`, isBag && 'cause' in options ? { cause: options.cause } : undefined)
    names.set(this, `${(isBag ? options.name : options) ?? 'Error'}`)
    // V8 wrote the stack before there was a name.
    const { stack } = this
    if (typeof stack === 'string') {
      const frames = stack.indexOf('\n    at ')
      const head = message === '' ? this.name : `${this.name}: ${message}`
      Object.defineProperty(this, 'stack', {
        value: head + (frames < 0 ? '' : ownFrames(stack.slice(frames))),
        writable: true,
        configurable: true,
      })
    }
  }
  get name() {
    return names.get(this) ?? 'Error'
  }
  get code() {
    return Object.hasOwn(codes, this.name) ? codes[this.name] : 0
  }
}

/** Without those of user space itself. */
const ownFrames = (frames) =>
  frames
    .split('\n')
    .filter((line) => !line.includes('gatehouse:') && !line.includes('<isolated-vm'))
    .join('\n')

exposeConstants(DOMException, constants)
expose({ DOMException })
