/** Daily weather: reading it from CSV, and the figures an analyst wants from it. */

export interface Day {
  /** ISO date. */
  readonly date: string
  /** mm */
  readonly precipitation: number
  /** °C */
  readonly high: number
  /** °C */
  readonly low: number
  /** m/s */
  readonly wind: number
}

export interface Month {
  /** 1 to 12. */
  readonly month: number
  readonly meanHigh: number
  readonly meanLow: number
  /** Mean of the monthly sums over the years, in mm. */
  readonly precipitation: number
}

/** @throws Error that names the line which is not as the header promises */
export function parseDays(csv: string): readonly Day[] {
  const [header, ...lines] = csv.trim().split('\n')
  if (header !== 'date,precipitation,temp_max,temp_min,wind,weather')
    throw new Error(`unknown columns: ${header}`)
  return lines.map((line, index) => {
    const [date = '', ...fields] = line.split(',')
    const [precipitation = NaN, high = NaN, low = NaN, wind = NaN] = fields.slice(0, 4).map(Number)
    if ([precipitation, high, low, wind].some(Number.isNaN))
      throw new Error(`line ${index + 2} is not a day: ${line}`)
    return { date, precipitation, high, low, wind }
  })
}

export function byMonth(days: readonly Day[]): readonly Month[] {
  const years = new Set(days.map(({ date }) => date.slice(0, 4))).size
  return Array.from({ length: 12 }, (_, index) => {
    const inMonth = days.filter(({ date }) => Number(date.slice(5, 7)) === index + 1)
    return {
      month: index + 1,
      meanHigh: mean(inMonth.map(({ high }) => high)),
      meanLow: mean(inMonth.map(({ low }) => low)),
      precipitation: sum(inMonth.map(({ precipitation }) => precipitation)) / years,
    }
  })
}

/** The day on which a figure was largest; the earliest of equals. */
export const extreme = (days: readonly Day[], figure: (day: Day) => number): Day | undefined =>
  days.reduce<Day | undefined>(
    (best, day) => (best === undefined || figure(day) > figure(best) ? day : best),
    undefined,
  )

/** Slope of the least-squares line through evenly spaced values: change per step. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const average = mean(values)
  const covariance = sum(values.map((value, index) => (index - middle) * (value - average)))
  return covariance / sum(values.map((_, index) => (index - middle) ** 2))
}

export const mean = (values: readonly number[]): number => sum(values) / values.length

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
