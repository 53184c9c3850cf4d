/** The other end: works on what comes, for as long as it comes. */
import { ipc } from 'gatehouse/guest'

interface Measurement {
  readonly station: string
  readonly celsius: number
}

export default async function analyse() {
  const pipe = await ipc.pipe({ from: 'collector' })
  const seen: Measurement[] = []
  for await (const value of pipe) {
    seen.push(value as unknown as Measurement)
    console.log(`from ${pipe.from}: ${seen.at(-1)?.station}`)
  }
  const mean = seen.reduce((sum, { celsius }) => sum + celsius, 0) / seen.length
  return { stations: seen.length, mean: Number(mean.toFixed(1)) }
}
