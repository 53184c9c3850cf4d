/** What depends on a time zone or a locale, asked in every way: the body of a function that gives plain JSON. */
export const zoneProgram = `
let seed = 12345
const below = (n) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed % n }
const pick = (all) => all[below(all.length)]
const pad = (n, width = 2) => String(n).padStart(width, '0')
const months = ['Jan', 'February', 'Mar', 'April', 'May', 'June', 'Jul', 'Aug', 'September', 'Oct', 'Nov', 'Dec']
const zones = ['', '', '', ' UTC', ' GMT', 'Z', ' Z', ' EST', ' edt', ' PST', ' +0200', ' -0500', '+02:00', '-0330',
  ' GMT+0100', ' UTC-3', ' (EST)', ' GMT+0200 (Central)', ' xyz', ' UT', ' MDT', ' (a(b)c)']
const times = () => pick(['', ' 10:00', ' 23:59:59', ' 1:02 PM', ' 12:00am', ' 10:00:00.123', ' 02:30', ' 24:00',
  'T10:00', 'T10:00:00', 'T10:00:00.5', 't10:00', ' 3pm'])
const dates = () => {
  const y = pick([1970, 1999, 2020, 2024, 1900, 99, 12, 275760, 0]), m = below(12), d = 1 + below(28)
  const iso = pad(m + 1) + '-' + pad(d)
  return pick([pad(y, 4) + '-' + iso, pad(y, 4) + '-' + pad(m + 1), pad(y, 4), y + '-' + (m + 1) + '-' + d,
    (m + 1) + '/' + d + '/' + y, months[m] + ' ' + d + ', ' + y, d + ' ' + months[m] + ' ' + y,
    'Thu ' + months[m] + ' ' + d + ' ' + y, months[m] + '-' + d + '-' + y, y + '/' + (m + 1) + '/' + d,
    '+' + pad(y, 6) + '-' + iso, '-' + pad(y, 6) + '-' + iso])
}
const texts = ['', 'x', '1', '12', 'Jan 1 2020 (', '(x) Jan 1 2020', 'Jan 1 2020 UTC(', 'UTC Jan 1 2020', '2020-01-01T',
  '2020-01-01T10', '2020-01-01 10:00', '20200101', '2020-01-01T10:00:00,5', ' 2020-01-01', '2020-01-01 ',
  '2020-01-01T10:00 ', '1 2 3', '10:00', 'Z', '1Z', '2020Z']
for (let n = 0; n < 1500; n += 1)
  texts.push(below(10) === 0 ? (times() + ' ' + dates() + pick(zones)).trim() : dates() + times() + pick(zones))
const parsed = texts.map((text) => [text, Date.parse(text), new Date(text).getTime()])

const stamps = [0, -1, 1e12, 1604215800000, 1584858600000, 8.64e15, -8.64e15, -62198755200000, -62167219200001,
  253402300800000, NaN, 1.7e12]
const parts = ['Date', 'FullYear', 'Hours', 'Milliseconds', 'Minutes', 'Month', 'Seconds', 'Year']
const shown = stamps.map((stamp) => {
  const date = new Date(stamp)
  const row = [String(date), date + '', date.toDateString(), date.toTimeString(), date.getTimezoneOffset(), date.getDay()]
  for (const part of parts) {
    const changed = new Date(stamp)
    row.push(date['get' + part](), changed['set' + part](pick([3, 99, -1, 2001.7, NaN])), changed.getTime())
  }
  row.push(date.toLocaleString(), date.toLocaleDateString(), date.toLocaleTimeString(), date.toLocaleDateString('de'),
    date.toLocaleString(undefined, { dateStyle: 'full' }), date.toLocaleTimeString('xx', { timeZoneName: 'long' }),
    date.toLocaleString('ja', { timeZone: 'Asia/Tokyo' }), date.toLocaleString([]))
  if (stamp === stamp)
    row.push(new Intl.DateTimeFormat().format(date), new Intl.DateTimeFormat('zz').format(date),
      Intl.DateTimeFormat('fr', { dateStyle: 'long', timeStyle: 'full' }).format(date))
  return row
})

const failure = (act) => { try { return act() } catch (error) { return error.name } }
const made = [new Date(2020, 5), new Date(99, 1, 2, 3, 4, 5, 6), new Date(2020, NaN), new Date('5'), new Date(new Date(7)),
  new Date({ valueOf: () => 9 }), new Date({ toString: () => 'Jan 1 2020', valueOf: undefined }), new Date(null),
  new Date(undefined), new Date(true), new Date([2020, 1]), new Date(new String('Jan 1 2020'))].map((date) => date.getTime())
const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions()
const words = ['z', 'ä', 'a']
const others = [timeZone, locale, new Intl.NumberFormat().format(1234.5), (1234.5).toLocaleString(), (1234n).toLocaleString(),
  [1234.5, new Date(0)].toLocaleString(), new Float64Array([1234.5]).toLocaleString(), 'i'.toLocaleUpperCase(),
  'I'.toLocaleLowerCase('tr'), words.toSorted((a, b) => a.localeCompare(b)), words.toSorted((a, b) => a.localeCompare(b, 'sv')),
  new Intl.PluralRules().select(1), new Intl.ListFormat().format(['a', 'b']), new Intl.RelativeTimeFormat().format(-1, 'day'),
  new Intl.DisplayNames(undefined, { type: 'region' }).of('DE'), new Intl.Collator().resolvedOptions().locale,
  [...new Intl.Segmenter().segment('a b')].length, new Intl.NumberFormat('xx').format(0.5), (0.5).toLocaleString(['xx', 'de']),
  JSON.stringify(new Date(5)), Date.length, Date.name, Date.parse.name, new (class D extends Date {})(5) instanceof Date,
  new (class F extends Intl.NumberFormat {})('de').format(1.5), Intl.NumberFormat.prototype.constructor === Intl.NumberFormat,
  Object.prototype.toString.call(new Intl.Collator()), new Intl.Collator() instanceof Intl.Collator,
  failure(() => new Date(Symbol())), failure(() => new Date(1n)), failure(() => new Intl.NumberFormat('x-')),
  failure(() => new Date(0).toLocaleString('de', null)), failure(() => Intl.Collator.call(1)),
  failure(() => Date.prototype.getHours.call({}))]
return JSON.stringify({ parsed, shown, made, others })`
