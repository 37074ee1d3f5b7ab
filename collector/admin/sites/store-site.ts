import { checkSite, isObject, type Site } from '@slotstream/protocol'
import { createTurns, pause } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import type { SiteBucket } from '../../keys/site-bucket.js'
import { createSites, type Sites } from '../../sites.js'
import { fieldsOf, valid } from '../admin-request.js'
import { checkKeysAreItsOwn, withKeptSecrets } from './site-keys.js'

/**
 * How often a change is repeated because another collector's was quicker, and the longest pause before, in
 * milliseconds.
 */
const TRIES = 20
const PAUSE_MS = 50

/** Fields of a site in a request; `secretKeyFingerprints` is what answers have, which may be sent back. */
const FIELDS = [
  'siteId',
  'name',
  'writeKeys',
  'secretKeys',
  'secretKeyFingerprints',
  'identitySecret',
  'allowedOrigins',
  'debug',
  'enrichment',
  'privacySignals',
  'requestsPerSecond',
  'retention',
  'spread',
  'signals',
  'bots',
  'holdout',
]

/**
 * Stores a site as the body of a request says, and what the body leaves out of secrets and origins as it was. With
 * `patch` all that it leaves out stays; null makes a field what it is by default.
 *
 * @throws Failure `malformed`; `conflict` when a key belongs to another site; `not_found` for a patch of no site
 */
export type StoreSite = (siteId: string, body: Record<string, unknown>, change?: 'put' | 'patch') => Promise<Site>

/**
 * Creates the function that stores sites. Changes take turns, in this process by waiting and among collectors by
 * repetition, so that each is checked against all sites as they are when it is written: of two sites that claim a key
 * at the same moment one gets it, and a key that was just taken away doesn't come back.
 */
export function createStoreSite(bucket: SiteBucket, sites: Sites): StoreSite {
  const inTurn = createTurns(1)
  return (siteId, body, change = 'put') => {
    // Before its id becomes a key of the bucket.
    if (!/^[a-z0-9-]{1,64}$/.test(siteId)) valid(checkSite({ ...body, siteId }))
    fieldsOf(body, FIELDS)
    if (body.siteId !== undefined && body.siteId !== siteId)
      throw new Failure('malformed', `siteId must be ${siteId}, as in the path, or left out`)
    return inTurn(() => store(siteId, body, change))
  }

  async function store(siteId: string, body: Record<string, unknown>, change: 'put' | 'patch'): Promise<Site> {
    for (let left = TRIES; left > 0; left--) {
      const { entries, revision } = await bucket.read()
      const stored = createSites()
      for (const entry of entries) stored.apply(entry)
      const before = entries.findLast(({ key, operation }) => key === siteId && operation === 'PUT')
      const existing = before?.json<Site>()
      // It may be deleted since the request came: a patch must not recreate it, without its secrets and origins.
      if (change === 'patch' && !existing) throw new Failure('not_found', `there is no site ${siteId}`)
      const requested = change === 'patch' && existing ? patched(existing, body) : body
      const site = valid(checkSite({ ...withKeptSecrets(requested, existing), siteId }))
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

/**
 * Objects are merged, as JSON Merge Patch does (RFC 7396). What is not named of secrets and origins is kept elsewhere.
 */
function patched({ secretKeyHashes, identitySecret, allowedOrigins, ...site }: Site, body: Record<string, unknown>) {
  const { enrichment, retention, ...rest } = body
  const merged: Record<string, unknown> = {
    ...site,
    ...rest,
    ...mergedField('enrichment', site.enrichment, enrichment),
    ...mergedField('retention', site.retention, retention),
  }
  for (const [field, value] of Object.entries(merged))
    if (value === null && !NULLABLE.includes(field)) delete merged[field]
  return merged
}

/** Fields whose null is not their default. */
const NULLABLE = ['writeKeys', 'secretKeys', 'identitySecret', 'allowedOrigins']

function mergedField(field: string, before: object | undefined, change: unknown): object {
  if (!isObject(change)) return change === undefined ? {} : { [field]: change }
  const merged = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null)
  return { [field]: Object.fromEntries(merged) }
}
