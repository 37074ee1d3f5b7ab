import type { KV } from '@nats-io/kv'
import { filledEverywhere, filledKey, parseFilledRevisions, profilesBucket } from '@slotstream/protocol'
import { readGeneration, readValue } from '@slotstream/runtime'

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
    const { value } = await readValue(meta, filledKey(profilesBucket(generation), siteId), parseFilledRevisions)
    return value ? filledEverywhere(value, partitions) : 0
  }
}
