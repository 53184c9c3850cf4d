/** Grants for the driver alone; it claims the mint, so no kernel runs beside it. */
import type { NetDriver } from '../../../src/drivers/net/driver.ts'
import type { FetchReply } from '../../../src/drivers/net/exchange.ts'
import type { FetchRequest } from '../../../src/drivers/net/request.ts'
import { SyscallError } from '../../../src/errors.ts'
import { type AddressClass, Grant } from '../../../src/grant.ts'

export { listen, readAll, serve, serveRaw } from '../../support/servers.ts'

/** Vitest loads the modules anew for each test file, so each claims the mint once. */
export const mint = Grant.claimMint()

export interface Terms {
  readonly addresses?: readonly AddressClass[]
  readonly signal?: AbortSignal
  readonly pid?: number
  readonly syscall?: string
}

export function grantFor(resource: string, terms: Terms = {}): Grant {
  const { addresses = [], signal = new AbortController().signal, pid = 7, syscall = 'net.fetch' } = terms
  return mint.make(
    { pid, agent: 'tester', syscall, resources: [resource], addresses },
    {
      signal,
      get aborted() {
        return signal.aborted
      },
    },
  )
}

/** Fetches under a grant for this very URL that permits loopback unless told otherwise. */
export function get(
  net: NetDriver,
  url: string,
  more: Partial<FetchRequest> = {},
  terms: Terms = {},
): Promise<FetchReply> {
  const grant = grantFor(url, { addresses: ['loopback'], ...terms })
  return net.fetch(grant, { url, ...more })
}

/** The error of a fetch that has to fail. */
export async function failure(reply: Promise<FetchReply>): Promise<SyscallError> {
  const error = await reply.then(
    (value) => new Error(`answered with ${value.status}`),
    (reason: unknown) => reason,
  )
  if (error instanceof SyscallError) return error
  throw error
}
