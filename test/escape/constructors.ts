/** Attacks that climb from a value over its prototypes and constructors. */
import { type Family, gives, prelude, probing } from '../support/attack.ts'

export const constructors: Family = {
  name: 'constructors',
  property: 'Every constructor and prototype that can be reached from any value belongs to user space.',
  attacks: [
    {
      name: 'constructors of every global',
      tries:
        'Follows prototypes and constructors from each global and looks from their Function for names of the host.',
      source: probing(`const found = new Set()
        for (const key of Reflect.ownKeys(globalThis)) for (const name of reach(globalThis[key])) found.add(name)
        return [...found]`),
      ends: gives([]),
    },
    {
      name: 'constructors of everything below the globals',
      tries:
        'Walks every property, getter, setter and prototype below the globals and looks for objects of isolated-vm or Node.js.',
      source: probing(`const seen = new Set(), queue = [globalThis], names = new Set()
        while (queue.length > 0) {
          const at = queue.pop()
          if (at === null || (typeof at !== 'object' && typeof at !== 'function') || seen.has(at)) continue
          seen.add(at)
          queue.push(Object.getPrototypeOf(at))
          for (const key of Reflect.ownKeys(at)) {
            const { value, get, set } = Object.getOwnPropertyDescriptor(at, key)
            queue.push(value, get, set)
            if (typeof key === 'string') names.add(key)
          }
        }
        const foreign = ['Reference', 'ExternalCopy', 'Callback', 'Isolate', 'Context', 'Module', 'applySync', 'applyIgnored', 'applySyncPromise', 'derefInto',
          'release', 'ivm', 'process', 'require', 'mainModule', 'binding', 'start', 'deliver', 'post', 'pending', 'bootstrap']
        return [seen.size > 500, foreign.filter((name) => names.has(name))]`),
      ends: gives([true, []]),
    },
    {
      name: 'constructors of the doors',
      tries: 'Follows prototypes and constructors from each function that leads to the kernel.',
      source:
        probing(`const doors = [sys, fetch, ...Object.values(fs), ...Object.values(ipc), ...Object.values(proc), tools, tools.any, tools.constructor,
          ...Object.values(console), setTimeout, setInterval, clearTimeout, clearInterval, queueMicrotask, Math.random,
          crypto, crypto.getRandomValues, performance, performance.now, Date, Date.now]
        return [doors.length > 30, doors.flatMap(reach)]`),
      ends: gives([true, []]),
    },
    {
      name: 'constructors of replies',
      tries:
        'Follows prototypes and constructors from the objects, arrays and bytes that the kernel replies with.',
      source: probing(`await fs.write('/tmp/a', new Uint8Array([1, 2, 255]))
        const replies = [await fs.stat('/tmp/a'), await fs.list('/tmp'), await fs.read('/tmp/a', { encoding: 'bytes' }), await proc.self(), await tools.echo({ a: [{}] }),
          await sys('clock.time'), await sys('clock.random', { bytes: 8 }), await fs.read('/mem/working/none').catch(() => null)]
        return [replies.length, replies.flatMap(reach), reach((await tools.echo({ a: [{}] })).a[0])]`),
      ends: gives([8, [], []]),
    },
    {
      name: 'constructors of errors of the kernel',
      tries:
        'Follows prototypes and constructors from errors of refused calls, and from everything they hold.',
      source: probing(`const errors = []
        for (const call of [() => fs.read('/none'), () => sys('no.such'), () => sys('fs.read', { path: 7 }), () => sys('fs.read', { path: undefined }),
            () => fs.write('/tmp/x', 7), () => fs.read('/tmp/closed/x'), () => tools.breaks({}), () => tools.none({}), () => proc.wait(1)])
          try { await call() } catch (error) { errors.push(error) }
        const parts = errors.flatMap((error) => [error, ...Reflect.ownKeys(error).map((key) => error[key])])
        return [errors.length, parts.flatMap(reach)]`),
      ends: gives([9, []]),
    },
    {
      name: 'constructors of errors of the stubs',
      tries:
        'Makes the stubs themselves fail with errors of the engine and follows prototypes and constructors from those.',
      source: probing(`const errors = []
        const deep = () => { try { deep() } catch (error) { errors.length < 3 && errors.push(error); throw error } }
        const calls = [() => setTimeout(7), () => queueMicrotask({}), () => crypto.getRandomValues([]), () => crypto.getRandomValues(new Uint8Array(70_000)),
          () => sys(Symbol()), () => sys('fs.read', null), () => proc.spawn(null, 5n), () => fetch(Symbol()), deep]
        for (const call of calls) try { await call() } catch (error) { errors.push(error) }
        return [errors.length > 8, errors.flatMap(reach)]`),
      ends: gives([true, []]),
    },
    {
      name: 'constructors of promises',
      tries:
        'Follows prototypes and constructors from promises of the doors, and from what their then gives.',
      source:
        probing(`const promises = [proc.self(), fs.stat('/'), fs.read('/none').catch(() => 1), fetch('http://127.0.0.1/').catch(() => 1), tools.echo({}), proc.on('SIGUSR1', 'ignore')]
        promises.push(promises[0].then((value) => value), promises[1].finally(() => {}))
        const found = promises.flatMap(reach)
        await Promise.allSettled(promises)
        return [promises.every((promise) => promise.constructor === Promise), found]`),
      ends: gives([true, []]),
    },
    {
      name: 'constructors of the arguments',
      tries: 'Follows prototypes and constructors from the arguments of the program and of its callbacks.',
      source: `${prelude}
        export default async function (...args) {
          const found = [...reach(args), ...args.flatMap(reach), ...reach(arguments), ...reach(this)]
          await new Promise((resolve) => setTimeout(function (...given) { found.push(...reach(this), ...reach(given), ...reach(arguments)); resolve() }, 1, {}))
          await new Promise((resolve) => queueMicrotask(function () { found.push(...reach(this), ...reach(arguments)); resolve() }))
          let told
          const heard = new Promise((resolve) => { told = resolve })
          await proc.on('SIGUSR1', function (...given) { found.push(...reach(this), ...given.flatMap(reach), ...reach(arguments)); told() })
          await proc.signal((await proc.self()).pid, 'SIGUSR1')
          await heard
          return found
        }`,
      ends: gives([]),
    },
    {
      name: 'constructors of modules',
      tries:
        'Follows prototypes and constructors from import.meta, module namespaces and the this of a module.',
      source: `import * as guest from 'gatehouse/guest'\n${probing('return [reach(guest), Object.values(guest).flatMap(reach), reach(import.meta), Reflect.ownKeys(import.meta), top]')}\nconst top = typeof this`,
      ends: gives([[], [], [], [], 'undefined']),
    },
    {
      name: 'hidden constructors',
      tries:
        'Gets at the constructors that have no global name, and looks from code that they compile for names of the host.',
      source:
        probing(`const hidden = [async () => {}, function* () {}, async function* () {}, (function* () {})(), (async function* () {})(),
          [][Symbol.iterator](), new Map()[Symbol.iterator](), ''[Symbol.iterator](), /a/[Symbol.matchAll]('a'), Object.getPrototypeOf(Uint8Array), Iterator.from([1]),
          new Intl.Segmenter().segment('a')[Symbol.iterator](), Function.prototype, Error.prototype, Symbol.prototype, Promise.resolve()]
        const makers = [Object.getPrototypeOf(async () => {}).constructor, Object.getPrototypeOf(function* () {}).constructor, Object.getPrototypeOf(async function* () {}).constructor]
        const seen = [await makers[0]('return typeof process')(), makers[1]('return typeof require')().next().value, (await makers[2]('return typeof global')().next()).value]
        return [hidden.flatMap(reach), seen]`),
      ends: gives([[], ['undefined', 'undefined', 'undefined']]),
    },
    {
      name: 'constructors by subclassing',
      tries: 'Extends each built-in and door and looks at what super and new.target lead to.',
      source: probing(`const found = []
        for (const key of Reflect.ownKeys(globalThis)) {
          const base = globalThis[key]
          if (typeof base !== 'function') continue
          try {
            class Sub extends base { constructor() { super(() => {}, () => {}); found.push(...reach(this), ...reach(new.target), ...reach(super.constructor)) } }
            new Sub()
          } catch (error) { found.push(...reach(error)) }
        }
        return found`),
      ends: gives([]),
    },
    {
      name: 'constructors of a child’s exit',
      tries:
        'Starts children that exit with, throw and print look-alikes of host objects, and climbs from what wait gives.',
      source:
        probing(`const sources = ['export default () => ({ constructor: 1 })', 'export default () => ({ a: { then: 1 } })', 'throw new Error("x")', 'export default () => { throw { toJSON() { return 1 } } }']
        const exits = []
        for (const source of sources) exits.push(await proc.wait((await proc.spawn(source)).pid))
        return [exits.map(({ status }) => status), exits.flatMap((exit) => [exit, ...Object.values(exit)]).flatMap(reach)]`),
      ends: gives([['failed', 'exited', 'failed', 'failed'], []]),
    },
    {
      name: 'constructors of messages',
      tries: 'Sends itself messages that look like classes of the host and climbs from what it receives.',
      source: probing(`const { name } = await proc.self()
        const sent = [{ type: 'Buffer', data: [1] }, { $ref: '#' }, [{ then: 'x' }], { async: { apply: 1 } }]
        const got = []
        for (const message of sent) { await ipc.send(name, message); got.push((await ipc.receive()).message) }
        return [JSON.stringify(got) === JSON.stringify(sent), got.flatMap(reach)]`),
      ends: gives([true, []]),
    },
    {
      name: 'a caller above the program',
      tries:
        'Asks sloppy functions for their callers, to get at the functions of the kernel’s side of user space.',
      source: probing(`globalThis.found = []
        const getter = new Function('const f = arguments.callee; try { found.push(f.caller) } catch (error) { found.push(error.name) } return undefined')
        await codeOf(() => tools.echo(Object.defineProperty({}, 'a', { enumerable: true, get: getter })))
        Object.defineProperty(Object.prototype, 'then', { configurable: true, get: getter })
        await proc.self()
        delete Object.prototype.then
        await codeOf(() => sys({ toString: getter }))
        const callers = found.filter((caller) => typeof caller === 'function')
        // V8's own function that settles a promise may be seen: it has settled by then.
        return [found.length > 2, callers.map(String).filter((text) => text !== 'function () { [native code] }'), callers.flatMap(reach)]`),
      ends: gives([true, [], []]),
    },
    {
      name: 'a program that is itself sloppy',
      tries: 'Makes its own main a sloppy function, whose caller would be the function that starts programs.',
      source: `export default new Function('const f = arguments.callee; return [String(f.caller), typeof this, this === globalThis]')`,
      ends: gives(['null', 'object', true]),
    },
  ],
}
