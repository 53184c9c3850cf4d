import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classifyAddress } from '../../../src/drivers/net/addresses.ts'

test.each([
  '',
  'localhost',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '[::1]',
  '1.2.3.4/32',
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '239.255.255.250',
  '255.255.255.255',
  '240.0.0.1',
  '192.0.0.192',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '192.88.99.1',
  '::',
  '::127.0.0.1',
  '::8.8.8.8',
  'ff02::1',
  'fec0::1',
  '100::1',
  '2001:db8::1',
  '3fff::1',
  '2002:7f00:1::',
  '2002:808:808::',
  '2001:0:7f00:1::',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::169.254.169.254',
  '64:ff9b::168.63.129.16',
  '64:ff9b:1::8.8.8.8',
  '::ffff:0:127.0.0.1',
  '::ffff:0.0.0.0',
  '4000::1',
])('%j is never permitted', (text) => {
  expect(classifyAddress(text)).toBe('forbidden')
})

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fc00::1', 'private'],
  ['fd00:ec2::253', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['169.254.169.254', 'linkLocal'],
  ['169.254.170.2', 'linkLocal'],
  ['::ffff:169.254.169.254', 'linkLocal'],
  ['168.63.129.16', 'linkLocal'],
  ['100.100.100.200', 'linkLocal'],
  ['::ffff:100.100.100.200', 'linkLocal'],
  ['fd00:ec2::254', 'linkLocal'],
  ['FD00:EC2:0:0:0:0:0:254', 'linkLocal'],
  ['fe80::1', 'linkLocal'],
  ['fe80::1%eth0', 'linkLocal'],
  ['febf::1', 'linkLocal'],
])('%s is %s', (text, reach) => {
  expect(classifyAddress(text)).toBe(reach)
})

test.each([
  '8.8.8.8',
  '172.15.0.1',
  '172.32.0.1',
  '11.0.0.1',
  '2606:4700::1111',
  '64:ff9b::8.8.8.8',
  '::ffff:8.8.8.8',
])('%s is public', (text) => {
  expect(classifyAddress(text)).toBe('public')
})

test('an IPv4 address reaches no further when it is wrapped in IPv6', () => {
  fc.assert(
    fc.property(fc.ipV4(), (inner) => {
      const plain = classifyAddress(inner)
      expect(classifyAddress(`::ffff:${inner}`)).toBe(plain)
      expect(classifyAddress(`64:ff9b::${inner}`)).toBe(plain === 'public' ? 'public' : 'forbidden')
    }),
    { numRuns: 1_000 },
  )
})
