/** Attacks on the network of the host. */
import { type Attack, type Family, gives, probing } from '../support/attack.ts'

/** Spellings of addresses that only the host may ask. PORT is where a server of the host listens. */
const addresses: Readonly<Record<string, readonly string[]>> = {
  loopback: [
    'http://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://LOCALHOST:PORT/',
    'http://localhost.:PORT/',
    'http://foo.localhost:PORT/',
    'http://127.0.0.2:PORT/',
    'http://0.0.0.0:PORT/',
    'http://0:PORT/',
  ],
  'loopback in other numbers': [
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://0x7f.1:PORT/',
    'http://①②⑦.0.0.1:PORT/',
    'http://127。0。0。1:PORT/',
    'http://017700000001:PORT/',
  ],
  'loopback as IPv6': [
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[::]:PORT/',
    'http://[0:0:0:0:0:0:0:1]:PORT/',
  ],
  'the services of clouds': [
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://2852039166/',
    'http://[::ffff:169.254.169.254]/',
    'http://100.100.100.200/',
    'http://0xa9fea9fe/',
  ],
  'private networks': [
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'http://[fc00::1]/',
    'http://[fe80::1]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://198.18.0.1/',
    'http://192.0.0.1/',
  ],
  'other protocols': [
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'data:text/plain,x',
    'gopher://127.0.0.1:PORT/',
    'ws://127.0.0.1:PORT/',
    'javascript:1',
    'unix:/var/run/docker.sock',
    'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
    'about:blank',
    'blob:x',
  ],
  'users, blanks and line ends in the URL': [
    'http://example.com@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT#@example.com/',
    'http://127.0.0.1:PORT\\\\@example.com/',
    'http://\\t127.0.0.1:PORT/',
    'http://127.0.0.1:PORT/\\r\\nHost: x',
    ' http://127.0.0.1:PORT/',
    'http:/127.0.0.1:PORT/',
    'http:127.0.0.1:PORT',
    '//127.0.0.1:PORT/',
    '',
  ],
}

const asking: readonly Attack[] = Object.entries(addresses).map(([what, urls]) => ({
  name: `asking by ${what}`,
  tries: 'Asks addresses that belong to the host or its network, in every spelling.',
  budget: { cpu: '1s' },
  source:
    probing(`const urls = ${JSON.stringify(urls).replaceAll('\\\\r', '\\r').replaceAll('\\\\n', '\\n').replaceAll('\\\\t', '\\t')}.map((url) => url.replace('PORT', world.port))
    const reached = []
    for (const url of urls) {
      for (const call of [() => fetch(url), () => sys('net.fetch', { url, method: 'POST', text: 'x', headers: { host: '127.0.0.1' } }), () => fetch({ toString: () => url })])
        try { reached.push([url, (await call()).status]) } catch (error) { if (!/^(EPERM|EINVAL|ENOENT|EIO|EHOSTUNREACH|ENETUNREACH|ECONNREFUSED|EAGAIN|ETIMEDOUT|EPROTONOSUPPORT)$/.test(error.code)) reached.push([url, String(error)]) }
    }
    return reached`),
  ends: gives([]),
}))

export const network: Family = {
  name: 'network',
  property:
    'No request reaches the host itself, its network or its services, however its address is spelled.',
  attacks: [
    ...asking,
    {
      name: 'headers that are more than one',
      tries: 'Smuggles headers and requests by line ends, doubled names and names of the protocol.',
      source: probing(`const codes = new Set()
        for (const headers of [{ 'a\\r\\nb': 'c' }, { a: 'b\\r\\nc: d' }, { host: 'x' }, { 'content-length': '0' }, { 'transfer-encoding': 'chunked' }, { connection: 'upgrade' }, { '': 'x' }, { 'a b': 'x' }, { a: '\\u0000' }, { ':authority': 'x' }, { A: '1', a: '2' }, { 'é': 'x' }])
          codes.add(await codeOf(sys('net.fetch', { url: 'http://127.0.0.1:' + world.port + '/', headers })))
        return [...codes].filter((code) => code !== 'EINVAL' && code !== 'EPERM')`),
      ends: gives([]),
    },
    {
      name: 'methods that are none',
      tries: 'Uses methods that tunnel, trace or split a request.',
      source: probing(`const codes = new Set()
        for (const method of ['CONNECT', 'TRACE', 'TRACK', 'GET / HTTP/1.1\\r\\nx: y', '', 'get ', 'PRI', '\\u0000', '__proto__'])
          codes.add(await codeOf(sys('net.fetch', { url: 'http://127.0.0.1:' + world.port + '/', method })))
        return [...codes].filter((code) => code !== 'EINVAL' && code !== 'EPERM')`),
      ends: gives([]),
    },
  ],
}
