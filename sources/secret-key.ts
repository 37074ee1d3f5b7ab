import { createHmac, hash } from 'node:crypto'

/**
 * Returns the secret key with which a replay sends to a site that it made: old times need one. Made of the admin token,
 * so that a second replay has it again and no file keeps it.
 */
export function secretKeyOf(adminToken: string, siteId: string): string {
  return createHmac('sha256', adminToken).update(`slotstream replay ${siteId}`).digest('base64url')
}

/** Tells whether a site's fingerprints, as the admin API lists them, name a secret key. */
export function isAmong(fingerprints: readonly string[], secretKey: string): boolean {
  const keyHash = hash('sha256', secretKey, 'base64url')
  return fingerprints.some(fingerprint => fingerprint !== '' && keyHash.startsWith(fingerprint))
}
