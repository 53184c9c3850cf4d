/** Every IP address is public, of a class that a rule can name, or never permitted. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { AddressClass } from '../../grant.ts'

export type Reach = 'public' | AddressClass | 'forbidden'

/** How a class is called in a sentence. */
export const addressClasses: Readonly<Record<AddressClass, string>> = Object.freeze({
  loopback: 'this machine itself',
  private: 'a private network',
  linkLocal: 'a link-local address, where clouds keep their metadata',
})

/** Ranges as ipaddr.js names them; what is missing (multicast, reserved, documentation, tunnels …) is forbidden. */
const reaches: Readonly<Record<string, Reach>> = Object.freeze({
  unicast: 'public',
  loopback: 'loopback',
  private: 'private',
  carrierGradeNat: 'private',
  uniqueLocal: 'private',
  linkLocal: 'linkLocal',
})

/** All of today's public IPv6 (IANA IPv6 Global Unicast Address Assignments). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')
/** NAT64's well-known prefix, which may wrap public addresses only (RFC 6052, section 3.1). */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
/** Where clouds answer their machines as others do on 169.254.169.254, though the ranges are public or private. */
const cloudMetadata: readonly string[] = [
  '168.63.129.16', // Azure
  '100.100.100.200', // Alibaba Cloud
  'fd00:ec2::254', // AWS, Instance Metadata Service over IPv6
]

/**
 * Classifies an address by what a connection to it would reach.
 * An IPv4-mapped IPv6 address is the IPv4 address in it; other wrappings (6to4, Teredo, IPv4-compatible …)
 * are forbidden, and NAT64 is public only where the wrapped address is.
 * @param text an address as the system writes it, in its canonical IPv4 or any IPv6 form, without brackets
 * @returns `forbidden` also for a text that is not an address
 */
export function classifyAddress(text: string): Reach {
  if (isIP(text) === 0) return 'forbidden'
  const address = parseAddress(text)
  if (address instanceof ipaddr.IPv4) return classifyIPv4(address)
  if (address.match(nat64)) {
    const inner = new ipaddr.IPv4(address.toByteArray().slice(-4))
    return classifyIPv4(inner) === 'public' ? 'public' : 'forbidden'
  }
  if (cloudMetadata.includes(address.toString())) return 'linkLocal'
  const reach = reaches[address.range()] ?? 'forbidden'
  return reach === 'public' && !address.match(globalUnicast) ? 'forbidden' : reach
}

function classifyIPv4(address: ipaddr.IPv4): Reach {
  if (cloudMetadata.includes(address.toString())) return 'linkLocal'
  return reaches[address.range()] ?? 'forbidden'
}

/**
 * @param text an address that `node:net` accepts
 * @returns one form per address: lower case, shortest, IPv4 where it is mapped, without a zone
 */
export const plainAddress = (text: string): string => parseAddress(text).toString()

/**
 * IPv6 passes through the URL parser first, which writes it in hexadecimal only: ipaddr.js takes the dotted form of
 * an IPv4-compatible address (`::127.0.0.1`, as getaddrinfo prints it) for an IPv4-mapped one.
 */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const bare = text.replace(/%.*$/, '')
  return ipaddr.process(isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare)
}
