import {
  isIdentitySecret,
  isSecretKey,
  MAX_SECRET_KEYS,
  MAX_SECRET_LENGTH,
  MIN_SECRET_LENGTH,
  type Site,
} from '@slotstream/protocol'
import { Failure } from '../../http/failure.js'
import { fingerprintOf, hashOfKey } from '../../keys/secret-keys.js'
import type { Sites } from '../../sites.js'
import { checkedOrigins } from './checked-origins.js'

/** A site as the admin API shows it: without what would let its reader send as the site's servers. */
export interface SiteView extends Omit<Site, 'secretKeyHashes' | 'identitySecret'> {
  /** One for each secret key, to tell them apart. Absent: there are none. */
  secretKeyFingerprints?: string[]
  /** There is one. */
  identitySecret?: true
}

/** Returns a site as the admin API shows it. */
export function viewOf({ secretKeyHashes, identitySecret, ...site }: Site): SiteView {
  const view: SiteView = site
  if (secretKeyHashes) view.secretKeyFingerprints = secretKeyHashes.map(fingerprintOf)
  if (identitySecret !== undefined) view.identitySecret = true
  return view
}

/**
 * Returns the body of a `PUT` of a site with its secrets in the form in which they are kept. What the body doesn't name
 * of keys, signatures and origins stays as it was, so that a change of something else never opens a site; null removes
 * it, and so does an empty list of secret keys. A `true` in place of the identity secret, as `GET` shows it, keeps it.
 *
 * @throws Failure `malformed`
 */
export function withKeptSecrets(body: Record<string, unknown>, stored: Site | undefined): Record<string, unknown> {
  const { secretKeys, secretKeyFingerprints: _shown, identitySecret, allowedOrigins, ...rest } = body
  const hashes = secretKeys === undefined ? stored?.secretKeyHashes : hashesOf(secretKeys)
  const keepsSecret = identitySecret === undefined || (identitySecret === true && stored?.identitySecret)
  const secret = keepsSecret ? stored?.identitySecret : identitySecretOf(identitySecret)
  const origins =
    allowedOrigins === undefined
      ? stored?.allowedOrigins
      : checkedOrigins(allowedOrigins ?? ['*'], stored?.allowedOrigins)
  return {
    ...rest,
    ...(hashes && hashes.length > 0 ? { secretKeyHashes: hashes } : {}),
    ...(secret === undefined ? {} : { identitySecret: secret }),
    ...(origins === undefined ? {} : { allowedOrigins: origins }),
  }
}

function hashesOf(secretKeys: unknown): string[] {
  if (secretKeys === null) return []
  if (!Array.isArray(secretKeys) || secretKeys.length > MAX_SECRET_KEYS || !secretKeys.every(isSecretKey))
    throw new Failure(
      'malformed',
      `secretKeys must be a list of at most ${MAX_SECRET_KEYS} keys, each of ${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} printable ASCII characters without spaces and colons`,
    )
  return [...new Set(secretKeys.map(hashOfKey))]
}

function identitySecretOf(value: unknown): string | undefined {
  if (value === null) return undefined
  if (!isIdentitySecret(value))
    throw new Failure(
      'malformed',
      `identitySecret must be text of ${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} characters, or null to remove it`,
    )
  return value
}

/**
 * Checks that each key of a site names this site alone, and is either public or secret.
 *
 * @throws Failure `conflict`, `malformed`
 */
export function checkKeysAreItsOwn(site: Site, sites: Pick<Sites, 'byWriteKey' | 'bySecretKey' | 'list'>): void {
  const secret = new Set(site.secretKeyHashes)
  for (const writeKey of site.writeKeys) {
    const owner = sites.byWriteKey(writeKey) ?? sites.bySecretKey(writeKey)
    if (owner && owner.siteId !== site.siteId)
      throw new Failure('conflict', `a write key belongs to ${owner.siteId} already`)
    if (secret.has(hashOfKey(writeKey)))
      throw new Failure('malformed', 'a key is among writeKeys and secretKeys: pages must never have a secret key')
  }
  if (secret.size === 0) return
  for (const { siteId, writeKeys, secretKeyHashes = [] } of sites.list()) {
    if (siteId === site.siteId) continue
    if ([...secretKeyHashes, ...writeKeys.map(hashOfKey)].some(hash => secret.has(hash)))
      throw new Failure('conflict', `a secret key belongs to ${siteId} already`)
  }
}
