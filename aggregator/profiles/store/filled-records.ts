import type { KV } from '@nats-io/kv'
import { type FilledRevisions, filledKey, parseFilledRevisions, profilesBucket } from '@slotstream/protocol'
import { changeValue, readValue } from '@slotstream/runtime'

/** Resolves to a site's `FilledRevisions` of a generation; without a revision where none are noted. */
export async function readFilled(
  meta: Pick<KV, 'get'>,
  { generation, siteId }: { generation: number; siteId: string },
): Promise<FilledRevisions> {
  const { value = [] } = await readValue(meta, filledKey(profilesBucket(generation), siteId), parseFilledRevisions)
  return value
}

/**
 * Changes a site's `FilledRevisions` of a generation, whichever process changes them at the same time.
 *
 * @param meta the bucket `meta`
 * @param change changes the list, which has a revision for each partition
 */
export async function writeFilled(
  meta: KV,
  { generation, siteId, partitions }: { generation: number; siteId: string; partitions: number },
  change: (filled: number[]) => void,
): Promise<void> {
  const key = filledKey(profilesBucket(generation), siteId)
  await changeValue(meta, key, parseFilledRevisions, (before = []) => {
    const after = Array.from({ length: partitions }, (_, partition) => before[partition] ?? 0)
    change(after)
    const isSame = after.length === before.length && after.every((filledTo, index) => filledTo === before[index])
    return isSame ? undefined : after
  })
}
