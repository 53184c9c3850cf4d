/** The application around the assistant: tools that read what others wrote, and tools that act. */
import { readFileSync } from 'node:fs'
import type { KernelSpace } from 'gatehouse'
import { z } from 'zod'

/** By tool, what it takes and the text that it finds; the attacker has written into each. */
const readers = {
  read_page: ['url', 'page.txt'],
  read_mail: ['folder', 'mail.txt'],
  read_file: ['path', 'minutes.txt'],
  read_chat: ['channel', 'chat.txt'],
  ask_weather: ['city', 'weather.txt'],
  read_calendar: ['day', 'invitation.txt'],
  read_pdf: ['path', 'report.txt'],
  search: ['query', 'search.txt'],
  read_log: ['service', 'log.txt'],
  read_code: ['path', 'code.txt'],
} as const

const text = z.string()
const actors = {
  send_mail: z.strictObject({ to: text, text }),
  transfer: z.strictObject({ iban: text, amount: z.number() }),
  delete_file: z.strictObject({ path: text }),
  invite: z.strictObject({ mail: text }),
  add_forwarding: z.strictObject({ to: text }),
  share_file: z.strictObject({ path: text, with: text }),
  run_command: z.strictObject({ line: text }),
  publish: z.strictObject({ registry: text, package: text }),
}

/** @returns what happens in the world, one line for each effect; it grows while agents run */
export function build(kernel: KernelSpace): readonly string[] {
  const happened: string[] = []
  const note = (name: string, args: object): void => {
    happened.push(`${name} ${Object.values(args)[0]}`)
  }
  for (const [name, [argument, file]] of Object.entries(readers)) {
    const source = readFileSync(new URL(`sources/${file}`, import.meta.url), 'utf8')
    kernel.tool(name, {
      description: `Finds something by its ${argument}.`,
      parameters: z.strictObject({ [argument]: text }),
      execute: (args) => {
        note(name, args)
        return source
      },
    })
  }
  for (const [name, parameters] of Object.entries(actors)) {
    kernel.tool(name, {
      description: `Does: ${name}.`,
      parameters: parameters as z.ZodType<object>,
      execute: (args) => {
        note(name, args)
        return 'done'
      },
    })
  }
  kernel.on('syscall', ({ syscall, resource, status }) => {
    if (syscall.startsWith('fs.') && status === 'committed') happened.push(`${syscall} ${resource}`)
  })
  return happened
}
