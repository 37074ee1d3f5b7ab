import type { KV } from '@nats-io/kv'
import { type FilledRevisions, filledKey, parseFilledRevisions, profilesBucket } from '@slotstream/protocol'
import { isJetStreamError, parseEntry } from '@slotstream/runtime'

/** Resolves to a site's `FilledRevisions` of a generation; without a revision where none are noted. */
export async function readFilled(
  meta: Pick<KV, 'get'>,
  { generation, siteId }: { generation: number; siteId: string },
): Promise<FilledRevisions> {
  return (await readEntry(meta, filledKey(profilesBucket(generation), siteId))).filled
}

async function readEntry(meta: Pick<KV, 'get'>, key: string): Promise<{ filled: FilledRevisions; revision: number }> {
  const entry = await meta.get(key)
  const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parseFilledRevisions) : undefined
  return { filled: parsed?.ok ? parsed.value : [], revision: entry?.revision ?? 0 }
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
    const { filled: before, revision } = await readEntry(meta, key)
    const after = Array.from({ length: partitions }, (_, partition) => before[partition] ?? 0)
    change(after)
    if (after.length === before.length && after.every((filledTo, partition) => filledTo === before[partition])) return
    try {
      await meta.put(key, JSON.stringify(after), { previousSeq: revision })
      return
    } catch (error) {
      if (!isJetStreamError(error, 'wrongLastSequence')) throw error
    }
  }
}
