const PREFIX = 'filled'

/**
 * Returns the key, in the bucket `meta`, of what says how far the history of a site's features is counted in a bucket
 * of profiles, see `FilledRevisions`.
 */
export function filledKey(bucket: string, siteId: string): string {
  return `${PREFIX}.${bucket}.${siteId}`
}

/** Returns what such a key names; undefined for any other key. */
export function parseFilledKey(key: string): { bucket: string; siteId: string } | undefined {
  const [prefix, bucket, siteId, ...more] = key.split('.')
  return prefix === PREFIX && bucket && siteId && more.length === 0 ? { bucket, siteId } : undefined
}
