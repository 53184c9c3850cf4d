// Gives classes what Web IDL gives an interface: its name, its tag, and members that can be enumerated.

/** @param interfaces name → class */
export function expose(interfaces) {
  for (const [name, Class] of Object.entries(interfaces)) {
    const { prototype } = Class
    Object.defineProperty(Class, 'name', { value: name, configurable: true })
    Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true })
    for (const key of Object.getOwnPropertyNames(prototype))
      if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true })
  }
}

/** Constants of an interface stand on the class and on its objects. */
export function exposeConstants(Class, constants) {
  for (const [name, value] of Object.entries(constants))
    for (const owner of [Class, Class.prototype])
      Object.defineProperty(owner, name, { value, enumerable: true })
}
