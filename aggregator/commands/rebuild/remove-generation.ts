import {
  bucketStream,
  checkpointKey,
  filledKey,
  profilesBucket,
  sweptKey,
  warehousePositionKey,
} from '@slotstream/protocol'
import { gatherStatus, type Installation, pause } from '@slotstream/runtime'
import { profileStoreOf } from '../../profiles/store/open-profile-store.js'
import type { ProfileStoreDeps } from '../../profiles/store/profile-store-deps.js'

/** Time that the roles may take to load another generation, in milliseconds. */
const WAIT_MS = 120_000

/** Old generations answer for a moment after the roles report the new one. */
const LAST_ANSWERS_MS = 3_000

/**
 * Deletes an old generation of profiles when no process reads it any more. Resolves to whether that was so in time; an
 * aggregator that is stopped now loads the new one when it starts.
 */
export async function removeGeneration(
  deps: ProfileStoreDeps & { installation: Installation; old: number },
  waitMs = WAIT_MS,
): Promise<boolean> {
  const { nats, installation, old } = deps
  const { buckets, partitions } = installation
  const until = Date.now() + waitMs
  while (!(await allSwitched())) {
    if (Date.now() > until) return false
    await pause(500)
  }
  await pause(LAST_ANSWERS_MS)
  const bucket = profilesBucket(old)
  await profileStoreOf({ ...deps, installation: { ...installation, generation: old } }).eraseAll()
  await nats.manager.streams.delete(bucketStream(bucket))
  for (let partition = 0; partition < partitions; partition++)
    for (const key of [checkpointKey(bucket, partition), sweptKey(bucket, partition)])
      await buckets.positions.purge(key)
  await buckets.positions.purge(warehousePositionKey(bucketStream(bucket)))
  for await (const key of await buckets.meta.keys(filledKey(bucket, '*'))) await buckets.meta.delete(key)
  return true

  async function allSwitched(): Promise<boolean> {
    const reports = await gatherStatus(nats)
    return reports
      .flatMap(({ samples }) => samples)
      .filter(({ name }) => name === 'profiles_generation')
      .every(({ value }) => value > old)
  }
}
