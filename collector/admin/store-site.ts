import { checkSite, type Site } from '@slotstream/protocol'
import { createTurns, pause } from '@slotstream/runtime'
import { Failure } from '../http/failure.js'
import type { SiteBucket } from '../keys/site-bucket.js'
import { createSites, type Sites } from '../sites.js'
import { valid } from './admin-request.js'
import { checkKeysAreItsOwn, withKeptSecrets } from './site-keys.js'

/** How often a change is made anew because another collector's was quicker, and the longest pause before, in milliseconds. */
const TRIES = 20
const PAUSE_MS = 50

/**
 * Stores a site as the body of a `PUT` says, and what the body leaves out of secrets and origins as it was.
 *
 * @throws Failure `malformed`; `conflict` when a key belongs to another site
 */
export type StoreSite = (siteId: string, body: Record<string, unknown>) => Promise<Site>

/**
 * Makes what stores sites. Changes take turns, in this process by waiting and among collectors by being made anew, so
 * that each is checked against all sites as they are when it is written: of two sites that claim a key at the same
 * moment one gets it, and a key that was just taken away doesn't come back.
 */
export function createStoreSite(bucket: SiteBucket, sites: Sites): StoreSite {
  const inTurn = createTurns(1)
  return (siteId, body) => {
    // Before its id becomes a key of the bucket.
    if (!/^[a-z0-9-]{1,64}$/.test(siteId)) valid(checkSite({ ...body, siteId }))
    return inTurn(() => store(siteId, body))
  }

  async function store(siteId: string, body: Record<string, unknown>): Promise<Site> {
    for (let left = TRIES; left > 0; left--) {
      const { entries, revision } = await bucket.read()
      const stored = createSites()
      for (const entry of entries) stored.apply(entry)
      const before = entries.findLast(({ key, operation }) => key === siteId && operation === 'PUT')
      const site = valid(checkSite({ ...withKeptSecrets(body, before?.json<Site>()), siteId }))
      checkKeysAreItsOwn(site, stored)
      if (await bucket.write(site, revision)) {
        // The watch says the same in a moment; the caller may use the keys as soon as it has the answer.
        sites.apply({ key: siteId, operation: 'PUT', json: <T>() => site as T })
        return site
      }
      await pause(Math.random() * PAUSE_MS)
    }
    throw new Failure('conflict', `other requests keep changing sites: send the one for ${siteId} again`)
  }
}
