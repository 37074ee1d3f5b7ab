import { Resolver } from 'node:dns/promises'
import { isIPv6, type LookupFunction } from 'node:net'
import { isPrivateHost, isPublicAddress } from '@slotstream/runtime'

/** Time that a DNS server may take, in milliseconds, and the number of attempts. */
const ANSWER_MS = 2_000
const TRIES = 2

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

/** Finds all addresses of a name. Rejects when there are none, with a code. */
export type Resolve = (hostname: string) => Promise<string[]>

/**
 * Creates the look-up of hosts for connections that are being made: what is checked is what is connected to, so that no
 * later answer of the DNS can change it. One private address among several is enough to be rejected.
 *
 * @param resolve default: asks the DNS
 */
export function createPublicLookup(resolve: Resolve = createResolve()): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      resolved => {
        const addresses = resolved.map(address => ({ address, family: isIPv6(address) ? 6 : 4 }))
        const [first] = addresses
        if (!first || !resolved.every(isPublicAddress)) callback(refused(hostname), '', 0)
        else if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      error => callback(error, '', 0),
    )
  }
}

/**
 * Checks a host that is known to be private without a look-up: an IP address is connected to without one.
 *
 * @param hostname as `URL` has it
 * @throws RefusedUrl
 */
export function checkHost(hostname: string): void {
  if (isPrivateHost(hostname)) throw refused(hostname)
}

/**
 * Asks the DNS itself, and no file or service of the machine. The system's resolver would keep a thread for as long as
 * a server is silent, of the few that this process has for its files as well.
 */
function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: TRIES })
  return async hostname => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const addresses = [four, six].flatMap(result => (result.status === 'fulfilled' ? result.value : []))
    if (addresses.length === 0 && four.status === 'rejected') throw four.reason
    return addresses
  }
}

function refused(hostname: string): RefusedUrl {
  return new RefusedUrl('private_address', `${hostname} is at an IP address of a private network`)
}
