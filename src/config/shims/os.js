// The module `node:os`: what a program may ask about the machine that it runs on, which is user space and no machine.

export const EOL = '\n'
export const devNull = '/dev/null'
export const constants = { signals: {}, errno: {}, priority: {} }
export const arch = () => 'javascript'
export const availableParallelism = () => 1
export const cpus = () => []
export const endianness = () => 'LE'
export const freemem = () => 0
export const homedir = () => '/'
export const hostname = () => 'gatehouse'
export const loadavg = () => [0, 0, 0]
export const machine = () => 'javascript'
export const networkInterfaces = () => ({})
export const platform = () => 'gatehouse'
export const release = () => ''
export const tmpdir = () => '/tmp'
export const totalmem = () => 0
export const type = () => 'gatehouse'
export const uptime = () => globalThis.performance.now() / 1e3
export const userInfo = () => ({ username: 'agent', uid: -1, gid: -1, shell: null, homedir: '/' })
export const version = () => ''
export default {
  EOL,
  arch,
  availableParallelism,
  constants,
  cpus,
  devNull,
  endianness,
  freemem,
  homedir,
  hostname,
  loadavg,
  machine,
  networkInterfaces,
  platform,
  release,
  tmpdir,
  totalmem,
  type,
  uptime,
  userInfo,
  version,
}
