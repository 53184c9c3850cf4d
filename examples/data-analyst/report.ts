/** The analyst's findings as a Markdown report. */
import { byMonth, type Day, extreme, mean, slope } from './weather.ts'

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const daysPerYear = 365.25

export function writeReport(days: readonly Day[]): string {
  const rows = byMonth(days).map(
    ({ month, meanHigh, meanLow, precipitation }) =>
      `| ${monthNames[month - 1]} | ${meanHigh.toFixed(1)} | ${meanLow.toFixed(1)} | ${precipitation.toFixed(0)} |`,
  )
  return [
    `# Seattle, ${days[0]?.date} to ${days.at(-1)?.date} (${days.length} days)`,
    '',
    '| month | mean high °C | mean low °C | rain mm |',
    '| --- | ---: | ---: | ---: |',
    ...rows,
    '',
    `- Hottest day: ${line(
      extreme(days, ({ high }) => high),
      ({ high }) => `${high.toFixed(1)} °C`,
    )}`,
    `- Coldest night: ${line(
      extreme(days, ({ low }) => -low),
      ({ low }) => `${low.toFixed(1)} °C`,
    )}`,
    `- Wettest day: ${line(
      extreme(days, ({ precipitation }) => precipitation),
      ({ precipitation }) => `${precipitation.toFixed(1)} mm`,
    )}`,
    `- Strongest wind: ${line(
      extreme(days, ({ wind }) => wind),
      ({ wind }) => `${wind.toFixed(1)} m/s`,
    )}`,
    `- Mean temperature: ${mean(days.map(middle)).toFixed(2)} °C, trend ${signed(slope(days.map(middle)) * daysPerYear)} °C a year`,
    '',
  ].join('\n')
}

const middle = ({ high, low }: Day): number => (high + low) / 2

const line = (day: Day | undefined, figure: (day: Day) => string): string =>
  day === undefined ? 'no data' : `${figure(day)} on ${day.date}`

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
