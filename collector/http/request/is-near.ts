import type { CollectorSettings } from '../../settings.js'
import type { Client, Trusts } from './client-address.js'

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1)$/

/** Tells whether a client is on this machine, or in a network that is said to be one's own. */
export function isNear({ address, isItself }: Client, { trustProxy }: CollectorSettings, trusts: Trusts): boolean {
  if (!isItself) return false
  // A number of proxies says nothing of networks.
  return LOOPBACK.test(address) || (typeof trustProxy !== 'number' && trusts(address, 0))
}
