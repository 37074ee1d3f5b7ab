import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network of an address: `203.0.113.0` of a /24, `2001:db8:1::` of a /48, as the German and French data protection
 * authorities recommend. IPv4 inside IPv6 counts as IPv4. Undefined when it is no address.
 */
export function truncateAddress(address: string): string | undefined {
  const plain = address.trim().replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(plain)) return plain.replace(/\d+$/, '0')
  if (!isIPv6(plain)) return undefined
  return `${groups(plain.split('%')[0]!).slice(0, 3).join(':')}::`.replace(/(^|:)0(:0)*::$/, '::')
}

/** The first groups of an IPv6 address, without leading zeros; at least three. */
function groups(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail ? tail.split(':') : []
  const gap = new Array(Math.max(0, 8 - first.length - last.length)).fill('0')
  return [...first, ...gap, ...last].map(group => group.replace(/^0+(?=.)/, '').toLowerCase())
}
