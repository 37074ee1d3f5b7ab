import { normalizeAddress, siteOfIPv6 } from '@slotstream/runtime'

/**
 * Returns the network of an address: `203.0.113.0` of a /24, `2001:db8:1::` of a /48, as the German and French data
 * protection authorities recommend. IPv4 inside IPv6 counts as IPv4. Undefined when it is no address.
 */
export function truncateAddress(address: string): string | undefined {
  const plain = normalizeAddress(address)
  if (plain === undefined) return undefined
  if (!plain.includes(':')) return plain.replace(/\d+$/, '0')
  return siteOfIPv6(plain)
}
