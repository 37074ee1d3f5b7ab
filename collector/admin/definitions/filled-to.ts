import type { KV } from '@nats-io/kv'
import { filledEverywhere, filledKey, parseFilledRevisions, profilesBucket } from '@slotstream/protocol'
import { parseEntry, readGeneration } from '@slotstream/runtime'

/** Resolves to the revision of a site's features whose history is counted in all profiles; 0: none. */
export type ReadFilledTo = (siteId: string) => Promise<number>

/**
 * Creates the function that reads it from what the owners of the profiles note.
 *
 * @param meta the bucket `meta`
 */
export function createReadFilledTo(meta: KV, partitions: number): ReadFilledTo {
  return async siteId => {
    const { generation } = await readGeneration(meta)
    const entry = await meta.get(filledKey(profilesBucket(generation), siteId))
    const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parseFilledRevisions) : undefined
    return parsed?.ok ? filledEverywhere(parsed.value, partitions) : 0
  }
}
