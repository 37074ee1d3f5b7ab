import { describe, expect, it } from 'vitest'
import { truncateAddress } from '#collector/enrich/truncate-address.js'

describe('truncateAddress', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0'],
    ['::ffff:203.0.113.77', '203.0.113.0'],
    ['2001:db8:1234:5678::9', '2001:db8:1234::'],
    ['2001:0DB8:0000:5678:1:2:3:4', '2001:db8::'],
    ['::1', '::'],
    ['fe80::1%eth0', 'fe80::'],
  ])('makes the network of %s', (address, network) => {
    expect(truncateAddress(address)).toBe(network)
  })

  it.each(['', 'localhost', '203.0.113', '203.0.113.300', '1:2:3'])('gives nothing for %j', text => {
    expect(truncateAddress(text)).toBeUndefined()
  })
})
