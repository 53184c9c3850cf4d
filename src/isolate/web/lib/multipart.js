// Forms as bodies: multipart/form-data (RFC 7578, as the HTML standard writes it) and urlencoded, both ways.

const { random } = Math
const encode = (text) => new (web.need('encoding').TextEncoder)().encode(text)
const decode = (bytes) => new (web.need('encoding').TextDecoder)('utf-8', { ignoreBOM: true }).decode(bytes)

const escaped = (name) => name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22')
const lines = (text) => text.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n')

/** @returns the bytes and the content type, which names their boundary */
export function writeForm(form) {
  const { bytesOf, concat, formEntries, isBlob } = web.need('blobs')
  let boundary = '----gatehouse'
  while (boundary.length < 40) boundary += Math.floor(random() * 36).toString(36)
  const parts = []
  for (const [name, value] of formEntries(form)) {
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${escaped(lines(name))}"`
    if (!isBlob(value)) {
      parts.push(encode(`${head}\r\n\r\n${lines(value)}\r\n`))
      continue
    }
    const type = value.type === '' ? 'application/octet-stream' : value.type
    parts.push(encode(`${head}; filename="${escaped(value.name)}"\r\ncontent-type: ${type}\r\n\r\n`))
    parts.push(bytesOf(value), encode('\r\n'))
  }
  parts.push(encode(`--${boundary}--\r\n`))
  return { bytes: concat(parts), type: `multipart/form-data; boundary=${boundary}` }
}

/**
 * @param type the content type of the body
 * @throws TypeError where it is no form, or not written as one
 */
export function readForm(bytes, type) {
  const { FormData } = web.need('blobs')
  const essence = (type ?? '').split(';')[0].trim().toLowerCase()
  const form = new FormData()
  if (essence === 'application/x-www-form-urlencoded') {
    const { URLSearchParams } = web.need('url')
    for (const [name, value] of new URLSearchParams(decode(bytes))) form.append(name, value)
    return form
  }
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(type ?? '')
  if (essence !== 'multipart/form-data' || boundary === null) throw new TypeError('the body is no form')
  readParts(form, bytes, encode(`--${boundary[1] ?? boundary[2]}`))
  return form
}

function readParts(form, bytes, delimiter) {
  const gap = encode('\r\n\r\n')
  let at = find(bytes, delimiter, 0)
  for (;;) {
    if (at < 0) throw broken()
    at += delimiter.length
    if (bytes[at] === 45 && bytes[at + 1] === 45) return
    const head = find(bytes, gap, at)
    if (head < 0) throw broken()
    const next = find(bytes, delimiter, head)
    if (next < 0) throw broken()
    readPart(form, decode(bytes.subarray(at, head)), bytes.subarray(head + gap.length, next - 2))
    at = next
  }
}

const broken = () => new TypeError('the body is not written as a form')

const unescaped = (text) => text.replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replace(/%22/g, '"')

function readPart(form, head, bytes) {
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1]
  const name = /(?:^|;)\s*name="([^"]*)"/i.exec(disposition ?? '')?.[1]
  if (name === undefined) throw broken()
  const filename = /;?\s*filename="([^"]*)"/i.exec(disposition)?.[1]
  if (filename === undefined) return form.append(unescaped(name), decode(bytes))
  const { File } = web.need('blobs')
  const type = /^content-type:\s*(.*)$/im.exec(head)?.[1].trim() ?? 'text/plain'
  form.append(unescaped(name), new File([bytes], unescaped(filename), { type }))
}

/** Where a run of bytes begins in others, from a place on. */
function find(bytes, wanted, from) {
  for (let at = bytes.indexOf(wanted[0], from); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    let index = 1
    while (index < wanted.length && bytes[at + index] === wanted[index]) index += 1
    if (index === wanted.length) return at
  }
  return -1
}
