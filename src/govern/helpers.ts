/** What compilers and test runners leave in a function's source, and what user space is given for it. */
import type { FreeUse } from './free-names.ts'

/**
 * Definitions that behave as the compiler's own, by name. Each may use those before it.
 * `__name` is what esbuild and tsx add to keep function names; the rest come with targets below ES2022.
 */
const definitions: ReadonlyMap<string, string> = new Map([
  [
    '__name',
    "const __name = (fn, name) => Object.defineProperty(fn, 'name', { value: name, configurable: true })",
  ],
  [
    '__awaiter',
    `const __awaiter = (self, args, Kind, body) => new Promise((resolve, reject) => {
  const steps = body.apply(self, args ?? [])
  const go = (how, value) => {
    try {
      const step = steps[how](value)
      if (step.done) resolve(step.value)
      else Promise.resolve(step.value).then((next) => go('next', next), (error) => go('throw', error))
    } catch (error) { reject(error) }
  }
  go('next')
})`,
  ],
  ['__async', 'const __async = (self, args, body) => __awaiter(self, args, undefined, body)'],
  [
    '__rest',
    `const __rest = (source, taken) => Object.fromEntries(Reflect.ownKeys(Object(source))
  .filter((key) => !taken.includes(key) && Object.prototype.propertyIsEnumerable.call(source, key))
  .map((key) => [key, source[key]]))`,
  ],
  ['__objRest', 'const __objRest = (source, taken) => __rest(source, taken)'],
  ['__spreadValues', 'const __spreadValues = (target, source) => Object.assign(target, source)'],
  [
    '__spreadProps',
    'const __spreadProps = (target, source) => Object.defineProperties(target, Object.getOwnPropertyDescriptors(source))',
  ],
  [
    '__publicField',
    `const __publicField = (target, key, value) => {
  Object.defineProperty(target, typeof key === 'symbol' ? key : String(key), { value, writable: true, enumerable: true, configurable: true })
  return value
}`,
  ],
])

const needs: ReadonlyMap<string, string> = new Map([
  ['__async', '__awaiter'],
  ['__objRest', '__rest'],
])

/** Istanbul's counter: a function named by a hash in base 36, called without arguments at every statement. */
const isCounter = ({ what, onlyCalled }: FreeUse): boolean =>
  onlyCalled && /^cov_(?=[a-z]*\d)[0-9a-z]{6,}$/.test(what)

/** Takes any `counter().s[0]++` and `counter().b[1][0]++`, and counts nothing. */
const counterDefinition = (name: string): string =>
  `const ${name} = () => {
  const numbers = new Proxy([], { get: () => 0, set: () => true })
  const branches = new Proxy([], { get: () => numbers })
  return { s: numbers, f: numbers, b: branches, bT: branches }
}`

/**
 * @param uses what the function does not have
 * @returns the uses that remain, and module text that defines the others
 */
export function supplyHelpers(uses: readonly FreeUse[]): {
  definitions: string
  missing: readonly FreeUse[]
} {
  const names = uses.map(({ what }) => what)
  const wanted = new Set([...names, ...names.flatMap((name) => needs.get(name) ?? [])])
  return {
    definitions: [
      ...[...definitions].filter(([name]) => wanted.has(name)).map(([, text]) => text),
      ...uses.filter(isCounter).map(({ what }) => counterDefinition(what)),
    ].join('\n'),
    missing: uses.filter((use) => !definitions.has(use.what) && !isCounter(use)),
  }
}

/** Whether a name is a helper of a compiler that user space is not given: it was made for an old target. */
export const isOldTargetHelper = (name: string): boolean =>
  /^(__(generator|assign|spreadArray|read|values|await|asyncGenerator|asyncDelegator|asyncValues|forAwait|yieldStar)|__(privateAdd|privateGet|privateSet|privateMethod|classPrivateFieldGet|classPrivateFieldSet|classPrivateFieldIn)|__(using|callDispose|addDisposableResource|disposeResources|makeTemplateObject|template|pow|decorateClass|decorateElement|esDecorate|runInitializers|decorate|metadata|param)|tslib_\d+|_asyncToGenerator|_objectSpread|_objectWithoutProperties)$/.test(
    name,
  )
