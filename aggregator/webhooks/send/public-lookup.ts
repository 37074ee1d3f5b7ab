import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '@slotstream/runtime'

/** A URL leads to where webhooks may not be. */
export class RefusedUrl extends Error {
  override name = 'RefusedUrl'

  constructor(
    readonly code: 'private_address' | 'https_required',
    message: string,
  ) {
    super(message)
  }
}

/**
 * Looks a host up, for the connection that is being made: what is checked is what is connected to, so that no later answer
 * of the DNS can change it. One private address among several is enough to be refused.
 *
 * @param resolve looks up all addresses of a name. Default: the system's resolver
 */
export function createPublicLookup(resolve = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      const [first] = addresses
      if (!first || !addresses.every(({ address }) => isPublicAddress(address)))
        return callback(refused(hostname), '', 0)
      if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

/**
 * Checks a host that is an IP address already, which is connected to without being looked up.
 *
 * @param hostname as `URL` has it: IPv6 in brackets
 * @throws RefusedUrl
 */
export function checkLiteral(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0 && !isPublicAddress(address)) throw refused(hostname)
}

function refused(hostname: string): RefusedUrl {
  return new RefusedUrl('private_address', `${hostname} is at an IP address of a private network`)
}
