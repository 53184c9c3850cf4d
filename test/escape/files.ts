/** Attacks on the files of the host and of other agents. */
import { type Attack, type Family, gives, probing } from '../support/attack.ts'

/** Paths that would lead out of what a process sees. */
const ways: Readonly<Record<string, readonly string[]>> = {
  'folders above': [
    '/workspace/../../etc/passwd',
    '/workspace/../beside/secret.txt',
    '/../../../../etc/passwd',
    '/tmp/../../etc/passwd',
    '/scratch/../../../../../../../../etc/passwd',
    '/workspace/sub/../../beside/secret.txt',
  ],
  'encoded dots': [
    '/workspace/%2e%2e/beside/secret.txt',
    '/workspace/..%2fbeside/secret.txt',
    '/workspace/..%c0%afbeside',
    '/workspace/．．/beside/secret.txt',
    '/workspace/‥/beside/secret.txt',
    '/workspace/..\\beside\\secret.txt',
    '\\workspace\\..\\beside',
  ],
  'NUL and line ends': [
    '/workspace/a.txt\\u0000/../../beside/secret.txt',
    '/etc/passwd\\u0000.txt',
    '/workspace/\\n../beside',
    '/workspace/..\\u0000/beside/secret.txt',
  ],
  'symbolic links': [
    '/workspace/link.txt',
    '/workspace/out/secret.txt',
    '/scratch/link.txt',
    '/scratch/out/secret.txt',
    '/workspace/out/../out/secret.txt',
    '/workspace/./link.txt',
  ],
  'the system’s own files': [
    '/etc/passwd',
    '/proc/self/environ',
    '/proc/self/cwd/package.json',
    '/proc/self/root/etc/passwd',
    '/proc/1/environ',
    '/proc/self/fd/0',
    '/dev/null',
    '/dev/stdin',
    '/sys/kernel',
    '/root',
    '/home',
    '/app/package.json',
  ],
  'URLs and shares': [
    'file:///etc/passwd',
    '//etc/passwd',
    '///etc/passwd',
    '//server/share',
    'C:\\\\Windows\\\\win.ini',
    '\\\\\\\\?\\\\C:\\\\',
    '~/.ssh/id_rsa',
    '$HOME/.bashrc',
    '/$(cat /etc/passwd)',
  ],
  'the kernel’s own folder': [
    '/workspace/../evidence',
    '/scratch/../evidence/lock',
    '/.gatehouse',
    '/evidence',
  ],
}

const leaving: readonly Attack[] = Object.entries(ways).map(([what, paths]) => ({
  name: `out by ${what}`,
  tries: 'Reads, lists, writes, moves and removes by paths that lead out of the mounts.',
  budget: { cpu: '2s' },
  source:
    probing(`const paths = ${JSON.stringify(paths).replaceAll('\\\\u', '\\u').replaceAll('\\\\n', '\\n')}, reached = []
    for (const path of paths) {
      for (const [what, call] of [['read', () => fs.read(path)], ['list', () => fs.list(path)], ['write', () => fs.write(path, 'x')], ['append', () => fs.append(path, 'x')], ['mkdir', () => fs.mkdir(path + '/new')],
          ['move away', () => fs.move(path, '/scratch/stolen')], ['move in', () => fs.move('/workspace/a.txt', path)], ['remove', () => fs.remove(path)]])
        try { const got = await call(); reached.push([what, path, got]) } catch (error) { if (!/^E[A-Z0-9]+$/.test(error.code)) reached.push([what, path, error.name]) }
    }
    return reached`),
  ends: gives([]),
}))

export const files: Family = {
  name: 'files',
  property:
    'No path leads out of the mounts, to another agent, to the kernel’s own files, or past what a mount permits.',
  attacks: [
    ...leaving,
    {
      name: 'a mount that is read-only',
      tries: 'Writes, appends, moves, removes and makes folders in a mount that is read-only.',
      source:
        probing(`const calls = [() => fs.write('/workspace/a.txt', 'x'), () => fs.write('/workspace/new', 'x'), () => fs.append('/workspace/a.txt', 'x'), () => fs.mkdir('/workspace/new'),
          () => fs.remove('/workspace/a.txt'), () => fs.move('/workspace/a.txt', '/workspace/b.txt'), () => fs.move('/workspace/sub', '/scratch/sub'), () => fs.remove('/workspace'), () => fs.move('/workspace', '/tmp/w')]
        const codes = []
        for (const call of calls) codes.push(await codeOf(call))
        return [codes.filter((code) => code === 'ok'), await fs.read('/workspace/a.txt')]`),
      ends: gives([[], 'mounted']),
    },
    {
      name: 'files of another agent',
      tries: 'Looks for the memory of the bystander under its own tree, /proc, /audit, /ipc and by names.',
      source: probing(`const found = [], walk = async (path, depth) => {
          let list
          try { list = await fs.list(path) } catch { return }
          for (const entry of list) {
            const name = typeof entry === 'string' ? entry : entry.name
            const below = path === '/' ? '/' + name : path + '/' + name
            try { const text = await fs.read(below); if (/canary-/.test(text) && !below.startsWith('/audit')) found.push(below) } catch {}
            if (depth < 3) await walk(below, depth + 1)
          }
        }
        await walk('/', 0)
        const codes = []
        for (const path of ['/mem/bystander/working/secret', '/mem/../bystander/mem/working/secret', '/mem/working/secret', '/agents/bystander', '/proc/' + world.bystander + '/mem/working/secret', '/proc/' + world.bystander + '/args', '/proc/' + world.bystander + '/program'])
          codes.push(await codeOf(fs.read(path)))
        return [found, [...new Set(codes)]]`),
      budget: { cpu: '2s' },
      ends: gives([[], ['ENOENT']]),
    },
    {
      name: '/tmp of another process',
      tries: 'Leaves a file in /tmp and looks for it in a child and in a process of its own name.',
      source: probing(`await fs.write('/tmp/left', 'mine')
        const { pid } = await proc.spawn("export default async () => [await fs.list('/tmp'), await fs.read('/tmp/left').catch((error) => error.code)]")
        return (await proc.wait(pid)).value`),
      ends: gives([[], 'ENOENT']),
    },
    {
      name: 'what the kernel shows, written',
      tries: 'Writes, removes and moves /policy, /audit, /proc, /tools and /ipc.',
      source: probing(`const done = []
        for (const folder of ['/policy', '/audit', '/proc', '/tools', '/ipc', '/'])
          for (const call of [() => fs.write(folder + '/x', 'x'), () => fs.append(folder + '/x', 'x'), () => fs.remove(folder), () => fs.mkdir(folder + '/y'), () => fs.move(folder, '/tmp/z'), () => fs.move('/tmp', folder + '/tmp')])
            if ((await codeOf(call)) === 'ok') done.push(folder)
        for (const file of await fs.list('/policy')) {
          const path = '/policy/' + (file.name ?? file)
          if ((await codeOf(fs.write(path, 'version: 1'))) === 'ok') done.push(path)
          if ((await codeOf(fs.append(path, '\\nx'))) === 'ok') done.push(path)
        }
        return done`),
      ends: gives([]),
    },
    {
      name: 'a record that is changed',
      tries: 'Rewrites its own evidence under /audit after an act that it wants forgotten.',
      source: probing(`await codeOf(fs.read('/tmp/closed/x'))
        const before = await fs.list('/audit'), codes = []
        for (const file of before) { const path = '/audit/' + (file.name ?? file); codes.push(await codeOf(fs.write(path, '')), await codeOf(fs.append(path, '{}')), await codeOf(fs.remove(path)), await codeOf(fs.move(path, '/tmp/gone'))) }
        return [before.length > 0, codes.includes('ok'), codes.includes('EIO')]`),
      ends: gives([true, false, false]),
    },
    {
      name: 'a rule by another spelling',
      tries: 'Spells a path that a rule forbids in every way that might pass the rule and still arrive.',
      source:
        probing(`const spelled = ['/tmp/closed/x', '/tmp//closed/x', '/tmp/./closed/x', '/tmp/a/../closed/x', '/tmp/closed/./x', '/tmp/closed//x', '/TMP/closed/x', '/tmp/closed/x/', '/tmp/Closed/../closed/x', '/../tmp/closed/x', '/tmp/closed/\\u0078', '/tmp/closed/y/../x', '/mem/../tmp/closed/x']
        const codes = []
        for (const path of spelled) codes.push(await codeOf(() => fs.write(path, 'x')), await codeOf(() => fs.move('/tmp/own', path)), await codeOf(() => fs.mkdir(path)))
        await fs.write('/tmp/own', 'x')
        codes.push(await codeOf(fs.mkdir('/tmp/other')), await codeOf(fs.move('/tmp/own', '/tmp/closed/own')), await codeOf(fs.move('/tmp/other', '/tmp/closed')))
        return [(await fs.list('/tmp')).map((entry) => entry.name ?? entry).filter((name) => name === 'closed'), await codeOf(fs.read('/tmp/closed/x'))]`),
      budget: { cpu: '2s' },
      ends: gives([[], 'EPERM']),
    },
    {
      name: 'a file turned into a folder on the way',
      tries: 'Changes what a path leads to while other calls on it are in flight.',
      source: probing(`const calls = []
        for (let n = 0; n < 60; n += 1) calls.push(fs.write('/scratch/race', 'x'), fs.remove('/scratch/race'), fs.mkdir('/scratch/race'), fs.read('/scratch/race'), fs.read('/scratch/race/../link.txt'), fs.move('/scratch/race', '/scratch/out/race'))
        const settled = await Promise.allSettled(calls)
        await codeOf(fs.remove('/scratch/race'))
        const values = settled.filter(({ value }) => typeof value === 'string' && value !== 'x' && value !== '')
        return [values.length, settled.filter(({ reason }) => reason !== undefined && !/^E[A-Z0-9]+$/.test(reason.code)).length]`),
      budget: { cpu: '2s' },
      ends: gives([0, 0]),
    },
  ],
}
