import { isIPv4, isIPv6 } from 'node:net'

/** Longest text that is looked at as an address: IPv6 with an IPv4 tail and a zone. */
export const MAX_ADDRESS_LENGTH = 100

/**
 * Returns an IP address in its one canonical spelling. IPv4 inside IPv6 (`::ffff:192.0.2.1`, `::ffff:c000:201`) is
 * IPv4, zones (`%eth0`) are dropped, and IPv6 is written as RFC 5952 has it: lower case, no leading zeros, the longest
 * run of zeros as `::`. Undefined when the text is no address.
 */
export function normalizeAddress(text: string): string | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined
  const plain = text.trim()
  // A copy: a part of a text keeps the whole of it in memory for as long as an address is remembered.
  if (isIPv4(plain)) return plain.split('.').join('.')
  if (!isIPv6(plain)) return undefined
  const groups = groupsOf(plain.split('%')[0]!.toLowerCase())
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0)
  if (!isMapped) return compress(groups)
  const [high, low] = [groups[6]!, groups[7]!]
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
}

/**
 * Returns the network that limits apply to: an IPv4 address itself, of an IPv6 address its /64, because one customer
 * has 2⁶⁴ addresses. Text that is no address is a network of its own.
 *
 * @param address as `normalizeAddress` returns it
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const groups = groupsOf(address)
  return `${groups.slice(0, 4).map(hex).join(':')}::/64`
}

/** Returns the first three groups of an IPv6 address, a /48; the others are zero. */
export function siteOfIPv6(address: string): string {
  return compress([...groupsOf(address).slice(0, 3), 0, 0, 0, 0, 0])
}

function compress(groups: number[]): string {
  const text = groups.map(hex).join(':')
  const runs = text.match(/\b0(:0\b)+/g) ?? []
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  return longest === '' ? text : text.replace(new RegExp(`(^|:)${longest}(?=:|$):?`), '::')
}

function hex(group: number): string {
  return group.toString(16)
}

/** Returns the eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = withoutDots(address).split('::')
  const first = numbersOf(head)
  if (tail === undefined) return first
  const last = numbersOf(tail)
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
}

function numbersOf(groups: string): number[] {
  return groups === '' ? [] : groups.split(':').map(group => Number.parseInt(group, 16))
}

/** Writes an IPv4 tail, as in `64:ff9b::192.0.2.1`, as two groups. */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_tail, ...parts) => {
    const [a, b, c, d] = parts.slice(0, 4).map(Number) as [number, number, number, number]
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
}
