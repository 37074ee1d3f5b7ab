import type { KV } from '@nats-io/kv'
import { type FilledRevisions, filledKey, parseFilledRevisions, profilesBucket } from '@slotstream/protocol'
import { isJetStreamError, parseEntry } from '@slotstream/runtime'

/** Resolves to a site's `FilledRevisions` of a generation; without a revision where none are noted. */
export async function readFilled(
  meta: Pick<KV, 'get'>,
  { generation, siteId }: { generation: number; siteId: string },
): Promise<FilledRevisions> {
  const entry = await meta.get(filledKey(profilesBucket(generation), siteId))
  const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parseFilledRevisions) : undefined
  return parsed?.ok ? parsed.value : []
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
  for (;;) {
    const entry = await meta.get(key)
    const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parseFilledRevisions) : undefined
    const before = parsed?.ok ? parsed.value : []
    const after = Array.from({ length: partitions }, (_, partition) => before[partition] ?? 0)
    change(after)
    if (after.length === before.length && after.every((revision, partition) => revision === before[partition])) return
    try {
      await meta.put(key, JSON.stringify(after), { previousSeq: entry?.revision ?? 0 })
      return
    } catch (error) {
      if (!isJetStreamError(error, 'wrongLastSequence')) throw error
    }
  }
}
