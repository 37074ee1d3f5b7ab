import { hash } from 'node:crypto'

/** Characters of a hash by which an administrator tells keys apart. */
const FINGERPRINT_LENGTH = 8

/**
 * Returns the form in which a secret key is kept. A plain SHA-256 does: a key is made at random, not thought up, so
 * there is no list of likely keys to try, which is what a slow hash makes expensive; and each request of a server pays
 * for it.
 */
export function hashOfKey(secretKey: string): string {
  return hash('sha256', secretKey, 'base64url')
}

/** Returns the beginning of a key's hash: enough to tell a site's keys apart, too little to find one by. */
export function fingerprintOf(keyHash: string): string {
  return keyHash.slice(0, FINGERPRINT_LENGTH)
}
