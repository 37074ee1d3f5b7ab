import { createHmac, timingSafeEqual } from 'node:crypto'

const HEX = /^[0-9a-f]{64}$/

/**
 * Returns the HMAC-SHA256 of a user id, in lower-case hex: what a site's server computes for a page whose user it
 * knows.
 */
export function signatureOf(identitySecret: string, userId: string): string {
  return createHmac('sha256', identitySecret).update(userId).digest('hex')
}

/** Tells whether a signature is that of a user id. How long it takes says nothing of the right one. */
export function isSigned(identitySecret: string, userId: string, signature: unknown): boolean {
  if (typeof signature !== 'string' || !HEX.test(signature)) return false
  return timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(identitySecret, userId)))
}
