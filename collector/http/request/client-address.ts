import type { IncomingMessage } from 'node:http'
import { normalizeAddress } from '@slotstream/runtime'

/** Whether an address is that of a proxy of one's own; `hop` counts them from the collector on, from 0. */
export type Trusts = (address: string, hop: number) => boolean

/** Most entries of `X-Forwarded-For` that are looked at, from the right. */
const MAX_HOPS = 20

/** Where a request comes from. */
export interface Client {
  /** In canonical spelling. */
  address: string
  /**
   * Whether the client has this address. It has not when a proxy there names another one, which can't be read or
   * believed.
   */
  isItself: boolean
}

/**
 * Tells where a request comes from: from the other end of the connection, or, as long as those are proxies of one's
 * own, from what they say in `X-Forwarded-For`. Entries to the left of the first foreign address may be forged.
 */
export function clientOf(request: IncomingMessage, trusts: Trusts): Client {
  let address = peerAddress(request)
  const { 'x-forwarded-for': forwarded, 'x-real-ip': realIp, forwarded: standard } = request.headers
  if (typeof forwarded !== 'string') return { address, isItself: realIp === undefined && standard === undefined }
  const hops = forwarded.split(',').slice(-MAX_HOPS)
  let hop = 0
  for (; hops.length > 0 && trusts(address, hop); hop++) {
    const next = normalizeAddress(withoutPort(hops.pop()!.trim()))
    if (next === undefined) return { address, isItself: false }
    address = next
  }
  return { address, isItself: hop > 0 }
}

/** Returns the client's address: see `clientOf`. */
export function clientAddress(request: IncomingMessage, trusts: Trusts): string {
  return clientOf(request, trusts).address
}

/** Returns the address at the other end of the connection, in canonical spelling. */
export function peerAddress({ socket }: Pick<IncomingMessage, 'socket'>): string {
  const remote = socket.remoteAddress ?? ''
  return normalizeAddress(remote) ?? remote
}

/** `203.0.113.7:4711` and `[2001:db8::1]:443`, as some proxies write. */
function withoutPort(text: string): string {
  return /^\[(.+)\](:\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}
