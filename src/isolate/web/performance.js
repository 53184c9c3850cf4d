// What performance has beside its clock: marks and measures, kept in order.
import { expose } from './lib/expose.js'

const marks = new WeakMap()
/** So many are kept; the oldest go first. */
const entriesMax = 10_000
let entries = []
let making = false

export class PerformanceEntry {
  constructor() {
    if (!making) throw new TypeError('Illegal constructor')
  }
  get name() {
    return marks.get(this).name
  }
  get entryType() {
    return marks.get(this).entryType
  }
  get startTime() {
    return marks.get(this).startTime
  }
  get duration() {
    return marks.get(this).duration
  }
  get detail() {
    return marks.get(this).detail
  }
  toJSON() {
    return { ...marks.get(this) }
  }
}

export class PerformanceMark extends PerformanceEntry {
  constructor(name, options = {}) {
    making = true
    try {
      super()
    } finally {
      making = false
    }
    const startTime = options?.startTime ?? web.elapsed()
    if (!(Number(startTime) >= 0)) throw new TypeError('a mark is at no time before the start')
    marks.set(this, {
      name: `${name}`,
      entryType: 'mark',
      startTime: Number(startTime),
      duration: 0,
      detail: detailOf(options),
    })
  }
}

export class PerformanceMeasure extends PerformanceEntry {}

const detailOf = (options) =>
  options?.detail === undefined ? null : web.need('clone').structuredClone(options.detail)

function add(entry) {
  entries.push(entry)
  if (entries.length > entriesMax) entries = entries.slice(entriesMax / 2)
  return entry
}

export const mark = (name, options) => add(new PerformanceMark(name, options))

export function measure(name, startOrOptions, endMark) {
  const isBag = typeof startOrOptions === 'object' && startOrOptions !== null
  const { start, end, duration, detail } = isBag ? startOrOptions : { start: startOrOptions, end: endMark }
  const until =
    end !== undefined
      ? timeOf(end)
      : duration !== undefined && start !== undefined
        ? timeOf(start) + Number(duration)
        : web.elapsed()
  const from = start !== undefined ? timeOf(start) : duration !== undefined ? until - Number(duration) : 0
  making = true
  const entry = new PerformanceMeasure()
  making = false
  marks.set(entry, {
    name: `${name}`,
    entryType: 'measure',
    startTime: from,
    duration: until - from,
    detail: detailOf({ detail }),
  })
  return add(entry)
}

function timeOf(place) {
  if (typeof place === 'number') return place
  const found = entries.findLast(({ entryType, name }) => entryType === 'mark' && name === `${place}`)
  if (found === undefined) throw web.domException('SyntaxError', `there is no mark \`${place}\``)
  return found.startTime
}

const clear = (type) => (name) => {
  entries = entries.filter(
    (entry) => entry.entryType !== type || (name !== undefined && entry.name !== `${name}`),
  )
}
export const clearMarks = clear('mark')
export const clearMeasures = clear('measure')

const sorted = () => [...entries].sort((a, b) => a.startTime - b.startTime)
export const getEntries = () => sorted()
export const getEntriesByType = (type) => sorted().filter(({ entryType }) => entryType === `${type}`)
export const getEntriesByName = (name, type) =>
  sorted().filter(
    (entry) => entry.name === `${name}` && (type === undefined || entry.entryType === `${type}`),
  )

expose({ PerformanceEntry, PerformanceMark, PerformanceMeasure })
