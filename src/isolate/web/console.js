// Methods of console beyond the five that print; what these print is indented within a group.

const counts = new Map()
const timers = new Map()
let indent = ''

const raw = (stream, text) =>
  web.output(stream, `${indent}${text.replaceAll('\n', `\n${indent}`)}\n`.toWellFormed())
const print = (stream, values) => raw(stream, values.map((value) => web.show(value)).join(' '))
const labelOf = (label) => (label === undefined ? 'default' : `${label}`)

export function assert(condition, ...values) {
  if (!condition) print('stderr', ['Assertion failed', ...values])
}
export function count(label) {
  const name = labelOf(label)
  counts.set(name, (counts.get(name) ?? 0) + 1)
  raw('stdout', `${name}: ${counts.get(name)}`)
}
export function countReset(label) {
  counts.delete(labelOf(label))
}
export const dir = (value) => print('stdout', [value])
export const dirxml = (...values) => print('stdout', values)
export function group(...values) {
  if (values.length > 0) print('stdout', values)
  indent += '  '
}
export const groupCollapsed = (...values) => group(...values)
export function groupEnd() {
  indent = indent.slice(2)
}
export function time(label) {
  timers.set(labelOf(label), web.now())
}
function tell(label, values) {
  const name = labelOf(label)
  const since = timers.get(name)
  if (since === undefined) return print('stderr', [`there is no timer \`${name}\``])
  print('stdout', [`${name}: ${web.now() - since} ms`, ...values])
}
export const timeLog = (label, ...values) => tell(label, values)
export function timeEnd(label) {
  tell(label, [])
  timers.delete(labelOf(label))
}
export function trace(...values) {
  const { stack } = new Error('trace')
  const frames = `${stack}`
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes('gatehouse:') && !line.includes('<isolated-vm'))
  raw('stderr', [`Trace: ${values.map((value) => web.show(value)).join(' ')}`, ...frames].join('\n'))
}
export const clear = () => {}

/** Rows of objects or lists as columns under their names; anything else as it is. */
export function table(rows, columns) {
  if (typeof rows !== 'object' || rows === null) return print('stdout', [rows])
  const lines = Object.entries(rows).map(([index, row]) =>
    typeof row === 'object' && row !== null
      ? { '(index)': index, ...row }
      : { '(index)': index, Values: row },
  )
  const names = ['(index)', ...(columns ?? [...new Set(lines.flatMap((line) => Object.keys(line)))].slice(1))]
  const cells = [
    names,
    ...lines.map((line) =>
      names.map((name, at) => (Object.hasOwn(line, name) ? web.show(line[name], at > 0) : '')),
    ),
  ]
  const widths = names.map((_name, at) => Math.max(...cells.map((line) => line[at].length)))
  const text = cells.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at]))
      .join(' | ')
      .trimEnd(),
  )
  raw('stdout', [text[0], widths.map((width) => '-'.repeat(width)).join('-|-'), ...text.slice(1)].join('\n'))
}
