/** Ways round a rule with `redact`: calls whose result would be shown in pieces, or elsewhere as it is. */
import { SyscallError } from '../errors.ts'
import type { Decision, Request } from '../policy/types.ts'
import { redactedKinds } from './content.ts'

/** One question about a call, and the answer, which permits. */
export interface Answered {
  readonly request: Request
  readonly decision: Decision
}

/**
 * @param name the syscall
 * @param args its decoded arguments
 * @param decide asks the policy about another request of the same process
 * @throws SyscallError EPERM for a move out of what is redacted, and for a request for a part of an answer
 */
export function assertNotAround(
  name: string,
  args: unknown,
  answered: readonly Answered[],
  decide: (request: Request) => Decision,
): void {
  if (name === 'fs.move') assertNotMovedOut(answered, decide)
  if (name === 'net.fetch' && answered.some(({ decision }) => decision.effect === 'ask'))
    assertShown(args as { readonly bodyStream?: number })
  if (name === 'net.fetch' && answered.some(({ decision }) => redactedKinds(decision).length > 0))
    assertWhole(args as { readonly headers?: Readonly<Record<string, string>> })
}

/** What is read at the target has to have the same taken out of it; where this process may not read, another one may. */
function assertNotMovedOut(answered: readonly Answered[], decide: (request: Request) => Decision): void {
  const source = answered.find(({ request }) => request.action === 'fs.read')
  const target = answered.find(({ request }) => request.action === 'fs.write')
  if (source === undefined || target === undefined) return
  const kinds = redactedKinds(source.decision)
  if (kinds.length === 0) return
  const { resource } = target.request
  const there = decide({ ...source.request, resource, args: { path: resource } })
  const kept = redactedKinds(there)
  if (kinds.every((kind) => kept.includes(kind))) return
  throw new SyscallError(
    'EPERM',
    `what is read here has data taken out of it by a rule with \`redact\`, and at \`${resource}\` it would not have; read it and write it there`,
  )
}

/** A person approves what is sent, and cannot where that is not there yet. */
function assertShown({ bodyStream }: { readonly bodyStream?: number }): void {
  if (bodyStream === undefined) return
  throw new SyscallError(
    'EPERM',
    'a person has to approve this request, and cannot see a body that comes in pieces; send it whole',
  )
}

/** A part of an answer could begin or end within what has to be taken out. */
function assertWhole({ headers = {} }: { readonly headers?: Readonly<Record<string, string>> }): void {
  if (!Object.keys(headers).some((header) => header.toLowerCase() === 'range')) return
  throw new SyscallError(
    'EPERM',
    'a rule with `redact` looks through whole answers; leave out the header `range`',
  )
}
