import type { KV } from '@nats-io/kv'
import { checkSite, type Site } from '@slotstream/protocol'
import { Failure } from '../http/failure.js'
import type { Sites } from '../sites.js'
import { valid } from './admin-request.js'
import { checkKeysAreItsOwn, withKeptSecrets } from './site-keys.js'

/** JetStream's code for a key that was written since it was read. */
const WRONG_LAST_SEQUENCE = 10071

/** How often a change is made anew because another one was quicker. */
const TRIES = 5

/**
 * Stores a site as the body of a `PUT` says, and what the body leaves out of secrets and origins as it was. Made anew
 * when another request changed the site meanwhile: a key that was just taken away must not come back that way.
 *
 * @throws Failure `malformed`, `conflict`
 */
export async function storeSite(
  bucket: Pick<KV, 'get' | 'put'>,
  sites: Sites,
  siteId: string,
  body: Record<string, unknown>,
): Promise<Site> {
  // Before its id becomes a key of the bucket.
  if (!/^[a-z0-9-]{1,64}$/.test(siteId)) valid(checkSite({ ...body, siteId }))
  for (let left = TRIES; left > 0; left--) {
    const entry = await bucket.get(siteId)
    const stored = entry?.operation === 'PUT' ? entry.json<Site>() : undefined
    const site = valid(checkSite({ ...withKeptSecrets(body, stored), siteId }))
    checkKeysAreItsOwn(site, sites)
    try {
      await bucket.put(siteId, JSON.stringify(site), { previousSeq: entry?.revision ?? 0 })
    } catch (error) {
      if ((error as { code?: unknown }).code === WRONG_LAST_SEQUENCE) continue
      throw error
    }
    // The watch says the same in a moment; the caller may use the keys as soon as it has the answer.
    sites.apply({ key: siteId, operation: 'PUT', json: <T>() => site as T })
    return site
  }
  throw new Failure('conflict', `other requests keep changing the site ${siteId}: send this one again`)
}
