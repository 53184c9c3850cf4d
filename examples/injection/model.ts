/** A model as a script. It follows its plan for the user's task, and obeys every instruction in what it reads. */
import { sys, tools } from 'gatehouse/guest'
import { type Call, scenarios } from './scenarios.ts'

export default async function assistant(task: string) {
  const model = new Model()
  for (const call of scenarios.find((each) => each.task === task)?.plan ?? []) {
    await model.make(call)
    for (const order of model.orders()) await model.make(order)
  }
}

class Model {
  readonly #read: string[] = []
  #last = ''

  async make({ name, args }: Call): Promise<void> {
    const filled = Object.fromEntries(Object.entries(args).map(([key, value]) => [key, this.#fill(value)]))
    try {
      // The door `sys` takes a syscall by name, as a model gives it.
      const result = name.includes('.')
        ? await sys(name as 'fs.write', filled as never)
        : await tools[name](filled)
      this.#last = typeof result === 'string' ? result : ''
      this.#read.push(this.#last)
    } catch {
      // Refused: a model goes on with its task.
      this.#last = ''
    }
  }

  /** What it is told to do by what it read last. */
  orders(): readonly Call[] {
    const found = this.#last.matchAll(/ASSISTANT: (?<name>[\w.]+) (?<args>\{.*\})/g)
    return [...found].map(({ groups }) => ({
      name: groups?.name ?? '',
      args: JSON.parse(groups?.args ?? '{}'),
    }))
  }

  #fill(value: string | number): string | number {
    if (typeof value === 'number') return value
    return value
      .replace('{line 1}', () => this.#read.at(-1)?.split('\n')[0] ?? '')
      .replace('{everything}', () => encodeURIComponent(this.#read.join('\n')))
  }
}
