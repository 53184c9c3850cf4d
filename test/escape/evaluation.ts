/** Attacks by compiling and importing. */
import { type Family, gives, probing, program } from '../support/attack.ts'

const specifiers = [
  ...['node:fs', 'fs', 'node:child_process', 'node:vm', 'process', 'isolated-vm', 'module'],
  ...['file:///etc/passwd', 'data:text/javascript,export default 1', 'https://example.com/x.js', 'blob:x'],
  ...[
    'gatehouse:boot',
    'gatehouse:entry',
    'gatehouse:program',
    'gatehouse',
    './program.js',
    '/etc/passwd',
    '..',
    '',
    '\\u0000',
    '__proto__',
  ],
]

export const evaluation: Family = {
  name: 'evaluation',
  property:
    'Code that is compiled or imported at run time runs in user space, and there is nothing to import but user space.',
  attacks: [
    {
      name: 'eval in each form',
      tries:
        'Runs code by direct, indirect and nested eval, by Function, new Function and bind, and looks for names of the host.',
      source: probing(`const text = look.replace('return ', '(() => { return ') + ' })()'
        const indirect = eval
        return [eval(text), (0, eval)(text), indirect(text), globalThis.eval(text), eval('eval(' + JSON.stringify(text) + ')'), Function(look)(), new Function(look)(),
          Function.bind(null)(look)(), Reflect.construct(Function, [look])(), Function.call(null, look)(), eval?.(text)]`),
      ends: gives(Array.from({ length: 11 }, () => [])),
    },
    {
      name: 'eval with a scope',
      tries: 'Hides names from itself by with and sloppy eval, to see what stands behind them.',
      source:
        probing(`const f = new Function('scope', 'with (scope) { return typeof process + typeof start + typeof post }')
        const g = new Function('with (new Proxy({}, { has: () => true, get: (t, k) => k === Symbol.unscopables ? undefined : k === "typeof" ? 1 : undefined })) { return typeof start }')
        const h = new Function('var post = 1; delete this.sys; return [typeof post, typeof sys]')
        return [f({}), f(globalThis), g(), h()]`),
      ends: gives([
        'undefinedundefinedundefined',
        'undefinedundefinedundefined',
        'undefined',
        ['number', 'undefined'],
      ]),
    },
    {
      name: 'code in text for a timer',
      tries: 'Hands text in place of functions to timers, microtasks and signal handlers.',
      source:
        probing(`return [await codeOf(() => setTimeout('process', 1)), await codeOf(() => setInterval({ toString() { return 'process' } })),
        await codeOf(() => queueMicrotask('process')), await codeOf(() => proc.on('SIGUSR1', 'process'))]`),
      ends: gives(['TypeError', 'TypeError', 'TypeError', 'EINVAL']),
    },
    {
      name: 'dynamic imports',
      tries:
        'Imports modules of Node.js, files, data and the kernel’s own at run time, in modules, eval and Function.',
      source: probing(`const found = []
        for (const name of ${JSON.stringify(specifiers).replaceAll('\\\\u', '\\u')}) {
          for (const load of [() => import(name), () => (0, eval)('import(' + JSON.stringify(name) + ')'), () => new Function('n', 'return import(n)')(name), () => new Function('n', 'return import(n, { with: { type: "json" } })')(name)])
            try { found.push(['loaded', name, Object.keys(await load())]) } catch (error) { found.push(...reach(error)) }
        }
        return found`),
      ends: gives([]),
    },
    {
      name: 'dynamic imports of objects',
      tries: 'Imports values whose conversion to text runs code, changes, throws or never ends.',
      source: probing(`let n = 0
        const odd = [{ toString: () => (n += 1) === 1 ? 'node:fs' : 'fs' }, { toString() { throw new Error('mine') } }, Symbol('s'), { [Symbol.toPrimitive]: () => ({}) }, new Proxy({}, {}), null, 1n]
        const kinds = []
        for (const value of odd) kinds.push(await import(value).then(() => 'loaded', (error) => reach(error).length === 0 ? 'refused' : 'foreign'))
        return [...new Set(kinds)]`),
      ends: gives(['refused']),
    },
    ...specifiers
      .filter((name) => !name.startsWith('\\'))
      .map((name) => ({
        name: `an import of \`${name}\``,
        tries: 'Imports statically what user space does not have.',
        source: `import * as found from ${JSON.stringify(name)}\n${program('return Object.keys(found)')}`,
        ends: [{ failed: 'EINVAL' as const, message: /user space does not have/ }],
      })),
    {
      name: 'an import with attributes',
      tries: 'Imports the module of the doors as JSON, to have it read as something else.',
      source: `import * as found from 'gatehouse/guest' with { type: 'json' }\n${program('return typeof found.sys')}`,
      ends: [{ value: 'function' }, { failed: 'EFAULT' }, { failed: 'EINVAL' }],
    },
    {
      name: 'an export from elsewhere',
      tries: 'Makes its default export that of a module of the kernel or of Node.js.',
      source: `export { start as default } from 'gatehouse:boot'`,
      ends: [{ failed: 'EINVAL', message: /user space does not have/ }],
    },
    {
      name: 'an import of an export that is not there',
      tries: 'Names an export that the module of the doors does not have.',
      source: `import { start } from 'gatehouse/guest'\n${program('return typeof start')}`,
      ends: [{ failed: 'EFAULT', message: /SyntaxError/ }],
    },
    {
      name: 'tagged templates',
      tries: 'Calls constructors and doors as tags of templates, whose objects are frozen and shared.',
      source: probing(`const tag = (parts) => parts
        const parts = tag\`a\${1}b\`
        const f = Function\`return typeof process\`
        return [reach(parts), reach(parts.raw), Object.isFrozen(parts), f(), eval\`1\` === undefined, await codeOf(() => sys\`fs.read\`), await codeOf(() => fs.read\`/etc/passwd\`)]`),
      ends: gives([[], [], true, 'undefined', false, 'EINVAL', 'EINVAL']),
    },
    {
      name: 'realms',
      tries:
        'Looks for ways to another realm: ShadowRealm, document, workers, vm, snapshots and the shell’s helpers.',
      source:
        probing(`const names = ['ShadowRealm', 'Realm', 'Worker', 'SharedWorker', 'Compartment', 'document', 'd8', 'load', 'read', 'print', 'quit', 'gc', 'version', 'importScripts', 'AsyncContext',
          'v8debug', 'natives', 'internalBinding', 'primordials', 'createRealm', '$262', 'host']
        const natives = await codeOf(() => new Function('return %GetUndetectable()'))
        return [names.filter((name) => name in globalThis), natives]`),
      ends: gives([[], 'SyntaxError']),
    },
    {
      name: 'a reviver',
      tries: 'Parses with revivers that replace what they get, and climbs from their this and their context.',
      source: probing(`const found = []
        JSON.parse('{"a":[1,{"__proto__":{"x":1}}]}', function (key, value, context) { found.push(...reach(this), ...reach(context)); return value })
        JSON.stringify({ a: [1] }, function (key, value) { found.push(...reach(this)); return value })
        return found`),
      ends: gives([]),
    },
    {
      name: 'a comment that ends the module',
      tries:
        'Closes whatever the kernel may wrap around a program with brackets, comments and line ends of every kind.',
      source: `}}}); sys('proc.exit', { value: 'out' }); /* */ <!-- x\n${program('return 1')}`,
      ends: [{ failed: 'EFAULT', message: /SyntaxError/ }],
    },
    {
      name: 'a source map and a source URL',
      tries: 'Names another file as its source, so that frames of its code would pass for the kernel’s.',
      source: `${program('throw new Error("x")')}\n//# sourceURL=gatehouse:bootstrap\n//# sourceMappingURL=file:///etc/passwd`,
      ends: [{ failed: 'EFAULT', message: /^Error: x$/ }],
    },
  ],
}
