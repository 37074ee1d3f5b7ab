import type { Profile } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import { forEachAtOnce } from './for-each-at-once.js'
import type { Partition } from './partition.js'
import type { ProfileStore } from './profile-store.js'
import type { Progress } from './progress.js'

/** Writes to the store under way at once. More only queue up in the server. */
const WRITES_AT_ONCE = 64

/** A partition without messages has its checkpoint moved too when it falls this far behind: a restart replays from the lowest. */
const MAX_CHECKPOINT_LAG = 5_000

/**
 * Makes the function that stores what has changed: first the profiles, then, for partitions whose profiles are all
 * stored, the checkpoint as of when the pass began. What fails stays to be stored by the next pass. Resolves to
 * whether all went well. Passes must not overlap.
 *
 * @param checkpoints stored checkpoint of each partition, by index; kept up to date
 */
export function createWriteBehind(
  partitions: Partition[],
  progress: Progress,
  store: ProfileStore,
  checkpoints: number[],
  log: Log,
): (final?: boolean) => Promise<boolean> {
  return async (final = false) => {
    const moved = new Map<number, number>()
    const changed: { index: number; profile: Profile }[] = []
    for (const [index, partition] of partitions.entries()) {
      const through = progress.appliedThrough(index)
      const unstored = partition.unstored()
      for (const profile of unstored) changed.push({ index, profile })
      const lag = through - (checkpoints[index] ?? 0)
      if (lag > MAX_CHECKPOINT_LAG || (lag > 0 && (final || unstored.length > 0))) moved.set(index, through)
    }
    const failures: unknown[] = []
    await forEachAtOnce(WRITES_AT_ONCE, changed, async ({ index, profile }) => {
      try {
        await store.write(profile)
        partitions[index]?.markStored(profile)
      } catch (error) {
        failures.push(error)
        moved.delete(index)
      }
    })
    await forEachAtOnce(WRITES_AT_ONCE, [...moved], async ([index, seq]) => {
      try {
        await store.writeCheckpoint(index, seq)
        checkpoints[index] = seq
      } catch (error) {
        failures.push(error)
      }
    })
    if (failures.length > 0)
      log.warn({ err: failures[0], failures: failures.length }, 'storing profiles failed, trying again')
    return failures.length === 0
  }
}
