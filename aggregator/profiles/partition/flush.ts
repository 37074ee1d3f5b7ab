import type { Profile } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'
import type { Progress } from '../apply/progress.js'
import type { Unpublished, UnpublishedEntry } from '../apply/unpublished.js'
import type { ProfileCache } from '../cache/profile-cache.js'
import type { PublishForward } from '../learning/publish-forward.js'
import type { PublishLearning } from '../learning/publish-learning.js'
import { latestNews, type PublishNews } from '../members/publish-news.js'
import type { PublishTelling } from '../members/publish-telling.js'
import type { PublishIdentity } from '../publish-identity.js'
import type { PublishRejected } from '../publish-rejected.js'
import type { PublishSignals } from '../signals/publish-signals.js'
import type { Checkpoint } from '../store/checkpoints.js'
import { forEachAtOnce } from '../store/for-each-at-once.js'
import type { ProfileStore } from '../store/profile-store.js'
import { StoreConflict } from '../store/store-conflict.js'
import type { PartitionTimers } from '../timers/partition-timers.js'

/** Writes to the store under way at once. More only queue up in the server, before what a visitor waits for. */
const WRITES_AT_ONCE = 16

/** A partition with what memory has beyond the store. */
export interface DirtyPartition {
  readonly index: number
  readonly cache: ProfileCache
  readonly progress: Pick<Progress, 'through'>
  readonly unpublished: Unpublished
  readonly timers: Pick<PartitionTimers, 'beforeWrite' | 'afterWrite'>
  /** Checkpoint of the store, as far as it is known here. */
  checkpoint: Checkpoint
}

export interface FlushDeps {
  store: Pick<ProfileStore, 'write' | 'readCheckpoint' | 'writeCheckpoint'>
  publish: {
    signals: PublishSignals
    rejected: PublishRejected
    identity: PublishIdentity
    news: PublishNews
    telling: PublishTelling
    learning: PublishLearning
    forward: PublishForward
  }
  log: Log
  /**
   * Called with a partition some of whose profiles were made of states that were out of date when they were read, as
   * from a replica that lags behind: it has to be loaded again.
   */
  onOutdated: (partition: DirtyPartition) => void
}

/** One pass over some partitions, as of when it began. */
interface Pass {
  results: { partition: DirtyPartition; entry: UnpublishedEntry }[]
  profiles: { partition: DirtyPartition; profile: Profile; revision: number }[]
  /** Sequences up to which checkpoints can move, without partitions of which something could not be stored. */
  checkpoints: Map<DirtyPartition, number>
  failures: unknown[]
}

/**
 * Creates the function that stores what has changed in some partitions: first the signals that were detected, the
 * traits that were rejected, what policies have to learn and what other partitions have to be told of persons, then,
 * where all of them are published, the profiles, then, where all of them are stored, the checkpoint as of when the pass
 * began. What is due for a profile is noted before it is stored, and the note removed after a profile is stored for
 * which nothing is due. A message that is applied in a stored profile is not looked at again, so its signals have to be
 * published before. What fails stays to be stored by the next pass. Resolves to whether all went well. Passes over the
 * same partition must not overlap.
 *
 * No state of a profile is ever written over one that is further on, whichever process stored it. So whatever is
 * written by an owner that does not know yet that it lost the partition, every checkpoint ever written stays true, and
 * clocks decide nothing here.
 */
export function createFlush({
  store,
  publish,
  log,
  onOutdated,
}: FlushDeps): (dirty: Iterable<DirtyPartition>) => Promise<boolean> {
  return async dirty => {
    const pass = beginPass(dirty)
    await publishResults(pass, publish)
    await storeProfiles(pass, store, onOutdated)
    await storeCheckpoints(pass, store)
    const { failures } = pass
    if (failures.length > 0)
      log.warn({ err: failures[0], failures: failures.length }, 'storing profiles failed, trying again')
    return failures.length === 0
  }
}

function beginPass(dirty: Iterable<DirtyPartition>): Pass {
  const pass: Pass = { results: [], profiles: [], checkpoints: new Map(), failures: [] }
  for (const partition of dirty) {
    const { through } = partition.progress
    for (const entry of partition.unpublished.entries()) pass.results.push({ partition, entry })
    for (const unstored of partition.cache.unstored()) pass.profiles.push({ partition, ...unstored })
    if (through > partition.checkpoint.seq) pass.checkpoints.set(partition, through)
  }
  return pass
}

/**
 * Publishes results and removes them from their partitions. Partitions that have some left leave the pass. Links go
 * first, of all entries, and what is told of persons only where none of the partition's are left: who is told does not
 * believe a browser of whose link it does not know yet, and is not told again.
 */
async function publishResults(pass: Pass, publish: FlushDeps['publish']): Promise<void> {
  const published = new Set<UnpublishedEntry>()
  const blocked = new Set<DirtyPartition>()
  const isLatest = latestNews(pass.results.flatMap(({ entry }) => entry.news ?? []))
  const publishEach = (work: (partition: DirtyPartition, entry: UnpublishedEntry) => Promise<void>) =>
    forEachAtOnce(WRITES_AT_ONCE, pass.results, async ({ partition, entry }) => {
      try {
        await work(partition, entry)
      } catch (error) {
        pass.failures.push(error)
        blocked.add(partition)
      }
    })
  await publishEach(async (_partition, { identity }) => {
    if (identity) await publish.identity(identity)
  })
  const unlinked = new Set(blocked)
  await publishEach(async (partition, entry) => {
    if (unlinked.has(partition) && (entry.identity || entry.news || entry.tellings)) return
    if (entry.signals) await publish.signals(partition.index, entry.signals)
    if (entry.rejected) await publish.rejected(partition.index, entry.rejected)
    for (const telling of entry.tellings ?? []) await publish.telling(telling)
    if (entry.learning) await publish.learning(partition.index, entry.learning, partition.checkpoint.seq)
    if (entry.forward) await publish.forward(entry.forward)
    for (const news of entry.news ?? []) if (isLatest(news)) await publish.news(news)
    published.add(entry)
  })
  for (const { unpublished } of new Set(pass.results.map(({ partition }) => partition)))
    unpublished.remove(entry => published.has(entry))
  pass.profiles = pass.profiles.filter(({ partition }) => !blocked.has(partition))
  for (const partition of blocked) pass.checkpoints.delete(partition)
}

function storeProfiles(pass: Pass, store: FlushDeps['store'], onOutdated: FlushDeps['onOutdated']): Promise<void> {
  return forEachAtOnce(WRITES_AT_ONCE, pass.profiles, ({ partition, profile, revision }) =>
    attempt(
      pass,
      partition,
      async () => {
        await partition.timers.beforeWrite(profile)
        partition.cache.markSent(profile)
        partition.cache.markStored(profile, await store.write(profile, revision))
        await partition.timers.afterWrite(profile)
      },
      async () => {
        if (!(await partition.cache.reconcile(profile))) onOutdated(partition)
      },
    ),
  )
}

function storeCheckpoints(pass: Pass, store: FlushDeps['store']): Promise<void> {
  return forEachAtOnce(WRITES_AT_ONCE, [...pass.checkpoints], ([partition, seq]) =>
    attempt(
      pass,
      partition,
      async () => {
        const revision = await store.writeCheckpoint(partition.index, seq, partition.checkpoint.revision)
        partition.checkpoint = { seq, revision }
      },
      async () => {
        partition.checkpoint = await store.readCheckpoint(partition.index)
      },
    ),
  )
}

/** Writes something of a partition; what fails holds its checkpoint back. `resolve` is called after a conflict. */
async function attempt(
  pass: Pass,
  partition: DirtyPartition,
  write: () => Promise<void>,
  resolve: () => Promise<void>,
): Promise<void> {
  try {
    await write()
  } catch (error) {
    pass.failures.push(error)
    pass.checkpoints.delete(partition)
    if (error instanceof StoreConflict) await resolve().catch(failure => pass.failures.push(failure))
  }
}
