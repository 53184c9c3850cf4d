/** Attacks by what V8 tells about stacks. */
import { type Family, gives, probing } from '../support/attack.ts'

const doors = `const calls = [() => fs.read('/none'), () => sys('fs.read', { path: undefined }), () => tools.breaks({}), () => setTimeout(7), () => fs.read('/tmp/closed/a')]`

export const stackTraces: Family = {
  name: 'stack traces',
  property:
    'No stack, no call site and no hook of Error shows a frame, a function or an object beyond user space.',
  attacks: [
    {
      name: 'prepareStackTrace',
      tries:
        'Collects call sites of errors of every door and asks each for its function, its this and its file.',
      source: probing(`${doors}
        const sites = []
        Error.prepareStackTrace = (_error, list) => { sites.push(...list); return 'x' }
        for (const call of calls) try { await call() } catch (error) { void error.stack }
        try { null.x } catch (error) { void error.stack }
        const kept = sites.filter((site) => site.getFunction() !== undefined || site.getThis() !== undefined)
        const files = new Set(sites.map((site) => String(site.getFileName())))
        return [sites.length > 5, kept.length, [...files].filter((file) => !/^(program\\.js|gatehouse:bootstrap|<isolated-vm>|null|undefined)$/.test(file)), sites.flatMap(reach)]`),
      ends: gives([true, 0, [], []]),
    },
    {
      name: 'prepareStackTrace of call sites that are sloppy',
      tries: 'Calls doors from sloppy code, whose call sites give functions, and climbs from those.',
      source: probing(`const found = []
        Error.prepareStackTrace = (_error, list) => { for (const site of list) found.push(site.getFunction(), site.getThis()); return '' }
        const call = new Function('work', 'return work()')
        for (const work of [() => fs.read('/none'), () => sys('x', { a: undefined }), () => fs.write('/tmp/a', 1)]) try { await call(work) } catch (error) { void error.stack }
        const parts = found.filter((part) => part !== undefined && part !== globalThis)
        return [parts.every((part) => part === call), parts.flatMap(reach)]`),
      ends: gives([true, []]),
    },
    {
      name: 'captureStackTrace on objects of its own',
      tries:
        'Captures stacks onto proxies, frozen objects and prototypes while the kernel’s code runs below it.',
      source: probing(`const texts = []
        const take = () => { const at = {}; Error.captureStackTrace(at); texts.push(String(at.stack)); return 1 }
        await tools.echo({ get a() { return take() } })
        Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { take(); return undefined } })
        await proc.self()
        delete Object.prototype.then
        try { Error.captureStackTrace(Object.freeze({})) } catch (error) { texts.push(error.name) }
        try { Error.captureStackTrace(new Proxy({}, { defineProperty() { take(); return true } })) } catch (error) { texts.push(error.name) }
        return [texts.length > 3, texts.join('\\n').split('\\n').filter((line) => line.includes('    at ') && !/program\\.js|gatehouse:bootstrap|<isolated-vm>|<anonymous>|Array\\.|Object\\.|Promise/.test(line))]`),
      ends: gives([true, []]),
    },
    {
      name: 'a stackTraceLimit that is a getter',
      tries: 'Puts a getter in place of Error.stackTraceLimit, so that its code runs inside the stubs.',
      source: probing(`let asked = 0
        Object.defineProperty(Error, 'stackTraceLimit', { configurable: true, get() { asked += 1; return 1e9 } })
        return [await codeOf(fs.read('/none')), await codeOf(() => sys('x', { a: undefined }))]`),
      ends: gives(['ENOENT', 'EINVAL']),
    },
    ...['Infinity', '-1', '0', '"x"', '{}', 'NaN'].map((limit) => ({
      name: `a stackTraceLimit of ${limit}`,
      tries:
        'Sets an odd limit for stacks and fails without being caught, so that the kernel has to describe it.',
      source: `Error.stackTraceLimit = ${limit}\nexport default async () => { await null; await fs.read('/none') }`,
      ends: [{ failed: 'ENOENT' as const }],
    })),
    {
      name: 'split replaced',
      tries: 'Puts its own method in place of what removes the kernel’s frames from stacks.',
      source: probing(`const seen = []
        String.prototype[Symbol.split] = function () { seen.push(String(this)); return ['gone'] }
        String.prototype.split = function () { seen.push(String(this)); return ['gone'] }
        await codeOf(fs.read('/none'))
        delete String.prototype[Symbol.split]
        return seen.join('').match(/\\/[a-z]+\\/|file:|node:/g)`),
      ends: gives(null),
    },
    {
      name: 'an uncaught error with a stack of its own',
      tries:
        'Throws where nobody catches, with a stack that imitates the boundary, to have host frames shown as its own.',
      source:
        probing(`const error = new Error('x'); error.stack = 'x\\n    at a (program.js:1:1)\\n    at (<isolated-vm boundar' + 'y>)\\n    at b (program.js:2:2)'
        Promise.reject(error); await new Promise(() => {})`),
      ends: [{ failed: 'EFAULT', message: /^Error: x$/ }],
    },
    ...(
      [
        ['a number', 'error.stack = 7'],
        ['deleted', 'delete error.stack'],
        ['an object', 'error.stack = { toString() { return "y" } }'],
        ['a getter that throws', 'Object.defineProperty(error, "stack", { get() { throw error } })'],
        ['empty', 'error.stack = ""'],
        ['a proxy', 'error.stack = new Proxy({}, {})'],
      ] as const
    ).map(([what, change]) => ({
      name: `a stack that is ${what}`,
      tries:
        'Throws where nobody catches, with a stack that is no text, so that V8 may take another stack in its place.',
      source: `${probing(`const error = new Error('x'); ${change}; Promise.reject(error); await new Promise(() => {})`)}`,
      ends: [{ failed: 'EFAULT' as const }],
    })),
    {
      name: 'prepareStackTrace that returns itself',
      tries: 'Makes every stack an object with hooks and then fails in every way that the kernel describes.',
      source:
        probing(`Error.prepareStackTrace = (error, sites) => ({ error, sites, toString() { return sites.join() } })
        console.log(new Error('printed'))
        await codeOf(fs.read('/none'))
        throw new Error('thrown')`),
      ends: [{ failed: 'EFAULT', message: /thrown/ }],
    },
    {
      name: 'prepareStackTrace that throws',
      tries: 'Fails inside the very making of the error that a refused call gives.',
      source: probing(`Error.prepareStackTrace = () => { throw new RangeError('mine') }
        const codes = [await codeOf(fs.read('/none'))]
        delete Error.prepareStackTrace
        return [...codes, await codeOf(fs.read('/none'))]`),
      ends: [{ value: ['ENOENT', 'ENOENT'] }, { failed: 'EFAULT', message: /mine/ }],
    },
  ],
}
