// What a program finds as `process` where it does not ask whether it runs in Node.js: no more than user space has.

const { console } = globalThis

const stream = (print) => ({
  isTTY: false,
  write(text, ...rest) {
    print(`${text}`.replace(/\n$/, ''))
    const done = rest.find((value) => typeof value === 'function')
    if (done !== undefined) queueMicrotask(done)
    return true
  },
  on: nothing,
  once: nothing,
  end: nothing,
})

function nothing() {
  return process
}

function lacking(name, instead) {
  return () => {
    throw Object.assign(new Error(`ENOSYS: \`process.${name}\`: user space does not have it; ${instead}`), {
      code: 'ENOSYS',
    })
  }
}

const microtask = globalThis.queueMicrotask

const process = {
  browser: true,
  title: 'gatehouse',
  env: {},
  argv: ['gatehouse', '/program/program.js'],
  execArgv: [],
  execPath: 'gatehouse',
  pid: 1,
  platform: 'gatehouse',
  arch: 'javascript',
  version: '',
  versions: {},
  release: { name: 'gatehouse' },
  features: {},
  config: {},
  exitCode: undefined,
  stdout: stream((text) => console.log(text)),
  stderr: stream((text) => console.error(text)),
  cwd: () => '/',
  umask: () => 0o22,
  uptime: () => globalThis.performance.now() / 1e3,
  hrtime: Object.assign(
    (since) => {
      const now = globalThis.performance.now() * 1e6
      const [seconds, nanos] = [Math.floor(now / 1e9), now % 1e9]
      if (since === undefined) return [seconds, nanos]
      const passed = now - (since[0] * 1e9 + since[1])
      return [Math.floor(passed / 1e9), passed % 1e9]
    },
    { bigint: () => BigInt(globalThis.performance.now()) * 1_000_000n },
  ),
  nextTick(task, ...args) {
    if (typeof task !== 'function') throw new TypeError('process.nextTick takes a function')
    microtask(() => task(...args))
  },
  emitWarning: (warning) => console.warn(`${warning?.message ?? warning}`),
  exit: lacking('exit', 'return from the default export, or throw'),
  abort: lacking('abort', 'throw'),
  kill: lacking('kill', 'use `proc.signal`'),
  chdir: lacking('chdir', 'name files by absolute paths'),
  binding: lacking('binding', 'there is no Node.js below'),
  dlopen: lacking('dlopen', 'there is no Node.js below'),
  getBuiltinModule: () => undefined,
  memoryUsage: lacking('memoryUsage', 'use `proc.self`'),
  // The kernel's signals are those of `proc.on`; nothing here is ever emitted.
  on: nothing,
  once: nothing,
  off: nothing,
  addListener: nothing,
  prependListener: nothing,
  prependOnceListener: nothing,
  removeListener: nothing,
  removeAllListeners: nothing,
  setMaxListeners: nothing,
  emit: () => false,
  listeners: () => [],
  listenerCount: () => 0,
}
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true })

export const {
  arch,
  argv,
  cwd,
  emitWarning,
  env,
  execArgv,
  execPath,
  exit,
  hrtime,
  nextTick,
  pid,
  platform,
  release,
  stderr,
  stdout,
  title,
  umask,
  uptime,
  version,
  versions,
} = process
export default process
