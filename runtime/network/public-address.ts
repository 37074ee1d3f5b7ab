import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { normalizeAddress } from '../process/addresses.js'

/** IPv4 networks that the internet does not route, by IANA's registry of special-purpose addresses, and multicast. */
const NOT_PUBLIC_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** The one IPv6 network that public addresses are given out of, and what of it is not public. */
const GLOBAL_V6 = '2000::/3'
const NOT_PUBLIC_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** The prefix under which IPv6 networks reach IPv4 addresses (RFC 6052): the IPv4 address inside counts. */
const TRANSLATED = '64:ff9b::/96'

const notPublic = blockListOf([...NOT_PUBLIC_V4, ...NOT_PUBLIC_V6])
const global = blockListOf([GLOBAL_V6])
const translated = blockListOf([TRANSLATED])

/**
 * Tells whether an IP address is one of the public internet. Addresses of private networks, of this machine, of the
 * link, of documentation, multicast and tunnels are none; nor is text that is no address. IPv4 inside IPv6 counts as
 * IPv4.
 */
export function isPublicAddress(text: string): boolean {
  // A zone belongs to addresses of the link.
  const address = text.includes('%') ? undefined : normalizeAddress(text)
  if (address === undefined) return false
  if (isIPv4(address)) return !notPublic.check(address, 'ipv4')
  if (!isIPv6(address)) return false
  if (translated.check(address, 'ipv6')) return isPublicAddress(lastFourBytes(address))
  return global.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}

/**
 * Tells whether a host is known to be private without being looked up: an IP address that is not public, or a name of
 * this machine.
 *
 * @param hostname as `URL` has it: IPv6 in brackets
 */
export function isPrivateHost(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return isIP(name) === 0 ? /(^|\.)localhost$/i.test(name) : !isPublicAddress(name)
}

function lastFourBytes(address: string): string {
  // As an IPv4-mapped address it is known by its last two groups.
  const groups = address.split(':')
  const [high = '0', low = '0'] = groups.slice(-2).map(group => group || '0')
  return normalizeAddress(`::ffff:${high}:${low}`) ?? ''
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}
