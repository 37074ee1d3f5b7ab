import type { KV } from '@nats-io/kv'
import { type ContentFill, type ContentFills, contentFillsKey, parseContentFills } from '@slotstream/protocol'
import { changeValue } from '@slotstream/runtime'

/** The bounds of a partition's stream that a fill reads. */
export interface FillBounds {
  /** Sequence up to which everything is applied. */
  through: number
  /** Sequence before the first message that the streams have: fills that end before it are forgotten. */
  oldest: number
  /** Sequence of the stream's last message. */
  end: number
}

/** The fills of one site's features of content in a partition, by version. */
type FillsOfPartition = ReadonlyMap<string, ContentFill>

/**
 * Notes that features of content are to be filled up to a sequence, and returns their fills. One that was begun and did
 * not end is done again as it was begun; after one that ended, what came since is filled.
 *
 * @throws Error where one that was begun ends behind what is applied
 */
export async function beginFills(
  meta: KV,
  { siteId, partition, versions }: { siteId: string; partition: number; versions: readonly string[] },
  { through, oldest, end }: FillBounds,
): Promise<FillsOfPartition> {
  const fills = await changeFills(meta, siteId, partition, before => {
    const remaining = Object.entries(before).filter(
      ([version, fill]) => versions.includes(version) || fill.through > oldest,
    )
    const after = Object.fromEntries(remaining)
    for (const version of versions) {
      const fillBefore = before[version]
      if (fillBefore && !fillBefore.isDone && fillBefore.through > through && fillBefore.through <= end)
        throw new Error(`a fill that goes to message ${fillBefore.through} was begun, and ${through} is applied`)
      if (!fillBefore || fillBefore.isDone) after[version] = { from: fillBefore?.through ?? 0, through }
    }
    return after
  })
  return new Map(versions.map(version => [version, fills[version]!]))
}

/** Notes that the fills of a site's features of content in a partition are done. */
export async function endFills(meta: KV, siteId: string, partition: number, done: FillsOfPartition): Promise<void> {
  await changeFills(meta, siteId, partition, before => {
    const after = { ...before }
    for (const [version, { from, through }] of done)
      if (before[version]?.through === through) after[version] = { from, through, isDone: true }
    return after
  })
}

function changeFills(
  meta: KV,
  siteId: string,
  partition: number,
  change: (before: ContentFills) => ContentFills,
): Promise<ContentFills> {
  // An owner of before, or the next one, may be faster.
  return changeValue(meta, contentFillsKey(siteId, partition), parseContentFills, (before = {}) => change(before))
}
