import type { IncomingMessage } from 'node:http'
import { networkOf } from '@slotstream/runtime'
import { Failure } from '../http/failure.js'
import { bearerToken, isSameSecret } from '../http/request/authenticate.js'
import { createTokenBuckets } from './token-buckets.js'

/** Wrong tokens that an address may send at once, and how many a second after that. */
const WRONG_TOKENS = 10
const WRONG_PER_SECOND = 0.2
/** Addresses that sent wrong ones and are remembered: 1 MB. */
const MAX_ADDRESSES = 10_000
/**
 * Characters from which on a token can't be guessed at any rate: the one that `npm start` makes has 32. The right one
 * then passes at once: wrong ones from a shared address must not keep an administrator out.
 */
const UNGUESSABLE_LENGTH = 24

/** Lets requests with the admin token pass. */
export interface AdminGate {
  /**
   * @throws Failure `unauthorized` without the admin token; `rate_limited` when the address has sent too many wrong
   *   ones: whatever it sends now where the token is short, anything but the right one where it is long
   */
  check(request: IncomingMessage): void
}

/**
 * @param adminToken none: no request passes
 * @param addressOf the client's address, in canonical spelling
 */
export function createAdminGate(
  adminToken: string | undefined,
  addressOf: (request: IncomingMessage) => string,
  now: () => number = () => performance.now(),
): AdminGate {
  const wrong = createTokenBuckets({
    perSecond: WRONG_PER_SECOND,
    burstSeconds: WRONG_TOKENS / WRONG_PER_SECOND,
    maxKeys: MAX_ADDRESSES,
  })
  /** Until when an address may not try again. */
  const paused = new Map<string, number>()

  const isLong = adminToken !== undefined && adminToken.length >= UNGUESSABLE_LENGTH

  return {
    check(request) {
      const token = bearerToken(request)
      const isRight = token && adminToken && isSameSecret(token, adminToken)
      if (isRight && isLong) return
      const network = networkOf(addressOf(request))
      const left = (paused.get(network) ?? 0) - now()
      if (left > 0) throw tooMany(Math.ceil(left / 1_000))
      paused.delete(network)
      if (isRight) return
      // No token at all is no guess.
      const wait = token ? wrong.take(network, now()) : 0
      if (wait > 0) {
        if (paused.size >= MAX_ADDRESSES) paused.delete(paused.keys().next().value as string)
        paused.set(network, now() + wait * 1_000)
        throw tooMany(wait)
      }
      throw new Failure('unauthorized', 'send the admin token: "Authorization: Bearer …"')
    },
  }
}

function tooMany(seconds: number): Failure {
  const reason = `this address sent too many wrong admin tokens: come again in ${seconds} s`
  return new Failure('rate_limited', reason, undefined, seconds)
}
