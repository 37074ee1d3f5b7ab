import { parseSite, type Site } from '@slotstream/protocol'
import { bucketKeys, type Installation, type Log, usableValue } from '@slotstream/runtime'

/** Resolves to all sites that can be read. */
export async function readSites({ sites: bucket }: Installation['buckets'], log: Log): Promise<Site[]> {
  const sites: Site[] = []
  for (const key of await bucketKeys(bucket, '>')) {
    const entry = await bucket.get(key)
    const site = entry?.operation === 'PUT' ? usableValue('sites', entry, parseSite, log) : undefined
    if (site) sites.push(site)
  }
  return sites
}
