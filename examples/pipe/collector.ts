/** One end of the pipe: gathers measurements and hands each on as it comes; what is none does not pass. */
import { ipc } from 'gatehouse/guest'

const measurement = {
  type: 'object',
  required: ['station', 'celsius'],
  properties: {
    station: { type: 'string', maxLength: 20 },
    celsius: { type: 'number', minimum: -90, maximum: 60 },
  },
  additionalProperties: false,
}

const heard = [
  { station: 'Bern', celsius: 21.5 },
  { station: 'Davos', celsius: 12 },
  { station: 'Basel', celsius: 'mild' },
  { station: 'Genf', celsius: 24.5 },
]

export default async function collect() {
  const pipe = await ipc.pipe({ to: 'analyst', schema: measurement })
  const refused: string[] = []
  for (const each of heard) await pipe.write(each).catch((error: Error) => refused.push(error.message))
  await pipe.close()
  return refused
}
