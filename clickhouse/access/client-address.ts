import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import { networkOf } from '@slotstream/runtime'

/** Headers that a proxy adds: the client is then not the one at the other end of the connection. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/** Where a request comes from. */
export interface ClientAddress {
  /** One key for all addresses that one client has: an IPv4 address, a /64 of IPv6, or `loopback`. */
  key: string
  /** Whether the client is a program of this machine, as far as a connection tells. */
  loopback: boolean
}

/**
 * Reads a client's address off the connection. Through a reverse proxy on this machine every client looks like one of
 * it, so a request with a header that proxies add isn't taken for local.
 */
export function clientAddressOf({
  socket,
  headers,
}: Pick<IncomingMessage, 'headers'> & {
  socket: { remoteAddress?: string | undefined }
}): ClientAddress {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/i, '')
  const proxied = PROXY_HEADERS.some(name => headers[name] !== undefined)
  const loopback = LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  if (loopback && !proxied) return { key: 'loopback', loopback: true }
  return { key: networkOf(address), loopback: false }
}
