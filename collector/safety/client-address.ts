import type { IncomingMessage } from 'node:http'
import { normalizeAddress } from '@slotstream/runtime'

/** Whether an address is that of a proxy of one's own; `hop` counts them from the collector on, from 0. */
export type Trusts = (address: string, hop: number) => boolean

/** Most entries of `X-Forwarded-For` that are looked at, from the right. */
const MAX_HOPS = 20

/**
 * The address of the client, in canonical spelling: that of the connection, or, as long as those are proxies of one's
 * own, what they say in `X-Forwarded-For`. Entries to the left of the first foreign address may be forged.
 */
export function clientAddress(request: IncomingMessage, trusts: Trusts): string {
  let address = peerAddress(request)
  const forwarded = request.headers['x-forwarded-for']
  if (typeof forwarded !== 'string') return address
  const hops = forwarded.split(',').slice(-MAX_HOPS)
  for (let hop = 0; hops.length > 0 && trusts(address, hop); hop++) {
    const next = normalizeAddress(withoutPort(hops.pop()!.trim()))
    if (next === undefined) break
    address = next
  }
  return address
}

/** The address at the other end of the connection, in canonical spelling. */
export function peerAddress({ socket }: Pick<IncomingMessage, 'socket'>): string {
  const remote = socket.remoteAddress ?? ''
  return normalizeAddress(remote) ?? remote
}

/** `203.0.113.7:4711` and `[2001:db8::1]:443`, as some proxies write. */
function withoutPort(text: string): string {
  return /^\[(.+)\](:\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}
