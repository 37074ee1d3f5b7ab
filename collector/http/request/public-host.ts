import type { IncomingMessage } from 'node:http'
import { Failure } from '../failure.js'
import { peerAddress, type Trusts } from './client-address.js'

/**
 * A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. Nothing else may end up in an
 * answer.
 */
const HOST =
  /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,20}\.?|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$/i

/** Headers that the answer depends on: a cache must not give one client's answer to another. */
export const HOST_HEADERS = 'Host, X-Forwarded-Host, X-Forwarded-Proto'

/**
 * Returns the host and protocol under which the browser reached the collector: as proxies of one's own say in
 * `X-Forwarded-Host` and `X-Forwarded-Proto`, or as the request says.
 *
 * @throws Failure `malformed` when the host isn't written as one
 */
export function publicHost(request: IncomingMessage, trusts: Trusts): { host: string; protocol: 'http' | 'https' } {
  const isProxied = trusts(peerAddress(request), 0)
  const host = (isProxied && first(request.headers['x-forwarded-host'])) || request.headers.host || ''
  if (!HOST.test(host)) throw new Failure('malformed', 'the host of the request is not a host name or address')
  const protocol = isProxied && first(request.headers['x-forwarded-proto']) === 'https' ? 'https' : 'http'
  return { host, protocol }
}

/** Returns the first entry: what the outermost proxy says of the browser's own request. */
function first(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header.split(',')[0]!.trim() : ''
}
