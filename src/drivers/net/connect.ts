/** A connection leads only to an address of a permitted class, and where it really leads is checked before a byte is sent. */
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { SyscallError } from '../../errors.ts'
import type { AddressClass } from '../../grant.ts'
import { limits } from '../../limits.ts'
import { addressClasses, classifyAddress, plainAddress, type Reach } from './addresses.ts'
import type { Resolver } from './resolve.ts'
import type { WebUrl } from './url.ts'

export interface ConnectOptions {
  readonly resolver: Resolver
  /** Classes beyond the public internet that the grant permits. */
  readonly permitted: readonly AddressClass[]
  /** Certificate authorities in place of the system's, as PEM. */
  readonly ca: readonly string[] | undefined
  readonly signal: AbortSignal
}

/**
 * Opens one connection for one request; it is never shared.
 * @returns a TCP socket, or a TLS socket whose certificate fits the host
 * @throws SyscallError EPERM when no address of the host is of a permitted class; the system's error; the signal's reason
 */
export async function openConnection(url: WebUrl, options: ConnectOptions): Promise<Socket> {
  const { permitted, signal } = options
  const addresses = await permittedAddresses(url.host, options)
  const socket = connectTcp({
    host: url.host,
    port: url.port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: limits.connectAttemptMs,
    // Node.js asks no resolver again: it tries exactly the addresses that were judged.
    lookup: (_host, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      ),
  })
  await ready(socket, 'connect', signal)
  try {
    assertPeer(url.host, socket.remoteAddress, permitted)
  } catch (refusal) {
    socket.destroy()
    throw refusal
  }
  return url.scheme === 'https' ? secure(socket, url.host, options) : socket
}

async function permittedAddresses(host: string, options: ConnectOptions): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await options.resolver.addresses(host, options.signal) : [host]
  const permitted = addresses.filter((address) => isPermitted(reachOf(address), options.permitted))
  if (permitted.length === 0) throw refusal(host, addresses.map(reachOf))
  return permitted
}

/**
 * The second judgement, of the address that the operating system reports.
 * @param peer absent when the connection is gone already, which is refused as well
 * @throws SyscallError EPERM
 */
export function assertPeer(host: string, peer: string | undefined, permitted: readonly AddressClass[]): void {
  const reach = peer === undefined ? 'forbidden' : reachOf(peer)
  if (!isPermitted(reach, permitted)) throw refusal(host, [reach])
}

/** An address of this machine leads to it whatever its range: a server on 0.0.0.0 listens there as well. */
function reachOf(address: string): Reach {
  const reach = classifyAddress(address)
  if (reach === 'forbidden') return reach
  const plain = plainAddress(address)
  const own = Object.values(networkInterfaces()).some((entries) =>
    entries?.some((entry) => plainAddress(entry.address) === plain),
  )
  return own ? 'loopback' : reach
}

const isPermitted = (reach: Reach, permitted: readonly AddressClass[]): boolean =>
  reach === 'public' || (reach !== 'forbidden' && permitted.includes(reach))

/** Names the class and never the address: a guest learns no map of the network from refusals. */
function refusal(host: string, reaches: readonly Reach[]): SyscallError {
  const classes = [...new Set(reaches)].filter((reach) => reach !== 'public' && reach !== 'forbidden')
  if (classes.length === 0)
    return new SyscallError(
      'EPERM',
      `\`${host}\` leads to an address that is never permitted (multicast, reserved, documentation, a tunnel or none at all)`,
    )
  const places = classes.map((name) => addressClasses[name]).join(' and ')
  return new SyscallError(
    'EPERM',
    `\`${host}\` leads to ${places}, which no rule permits here; a permitting rule with \`addresses: [${classes.join(', ')}]\` would`,
  )
}

async function secure(socket: Socket, host: string, options: ConnectOptions): Promise<Socket> {
  const encrypted = connectTls({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
    ALPNProtocols: ['http/1.1'],
    // Said outright, since an environment variable of Node.js would otherwise turn the check off.
    rejectUnauthorized: true,
  })
  return ready(encrypted, 'secureConnect', options.signal)
}

async function ready(socket: Socket, event: string, signal: AbortSignal): Promise<Socket> {
  // Whoever uses the socket next hears its errors; between two users nobody does, and that must not end the kernel.
  socket.on('error', () => {})
  try {
    await once(socket, event, { signal })
    return socket
  } catch (failure) {
    socket.destroy()
    throw signal.aborted ? signal.reason : failure
  }
}
