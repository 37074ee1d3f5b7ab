import { networkOf, normalizeAddress } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['2001:DB8:0:1:0:0:0:9', '2001:db8:0:1::9'],
    ['2001:db8::1:0:0:9', '2001:db8::1:0:0:9'],
    ['2001:0db8:0000:0000:0001:0000:0000:0009', '2001:db8::1:0:0:9'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['10:0:10:0:100:0:0:1', '10:0:10:0:100::1'],
  ])('%j is %s', (text, canonical) => {
    expect(normalizeAddress(text)).toBe(canonical)
    expect(normalizeAddress(canonical)).toBe(canonical)
  })

  it.each(['', 'unknown', '1.2.3', '1.2.3.4.5', '::ffff:1.2.3.400', '1::2::3', `fe80::1%${'x'.repeat(30_000)}`])(
    '%j is none',
    text => {
      expect(normalizeAddress(text)).toBeUndefined()
    },
  )

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff:1:2:3', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s, the network is %s', (text, network) => {
    expect(networkOf(normalizeAddress(text)!)).toBe(network)
  })
})
