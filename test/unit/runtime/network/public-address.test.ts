import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '#runtime/network/public-address.js'

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2001:4860:4860::8888',
  '2a00:1450:4001::200e',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '64:ff9b::8.8.8.8',
  '64:ff9b::808:808',
]

const NOT_PUBLIC = [
  // This network, this machine, private networks, those of providers, the link, where clouds tell their secrets.
  ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.255', '172.16.0.1'],
  ...['172.31.255.255', '192.168.0.1', '192.168.255.255', '100.64.0.1', '100.127.255.255', '169.254.169.254'],
  // Protocols, documentation, benchmarks, multicast, the future, broadcast.
  ...['192.0.0.1', '192.0.0.170', '192.0.2.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.7'],
  ...['192.88.99.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  // IPv6: unspecified, this machine, the link, sites, private networks, multicast, documentation, discard.
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1', 'fc00::1', 'fd12:3456:789a::1', 'ff02::1'],
  ...['2001:db8::1', '3fff::1', '100::1', '5f00::1'],
  // IPv4 inside IPv6, in all its spellings: mapped, compatible, translated, and in tunnels.
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:10.0.0.1', '0:0:0:0:0:ffff:c0a8:1', '::ffff:0:127.0.0.1'],
  ...['::127.0.0.1', '::7f00:1', '::8.8.8.8', '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::808:808'],
  ...['64:ff9b::', '64:ff9b::1', '2002:7f00:1::', '2002:808:808::1', '2001:0:808:808::1', '2001:10::1', '2001:20::1'],
  // What is no address, or is one to some programs only.
  ...['', 'localhost', 'example.com', '127.1', '0x7f.0.0.1', '2130706433', '017700000001', '8.8.8.8/32', '[::1]'],
  ...['8.8.8.8%eth0', '2606:4700::1%1', '8.8.8', '8.8.8.8.8', 'x'.repeat(10_000)],
]

describe('an address of the public internet', () => {
  it.each(PUBLIC)('is %s', address => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each(NOT_PUBLIC)('is not %s', address => {
    expect(isPublicAddress(address)).toBe(false)
  })
})
