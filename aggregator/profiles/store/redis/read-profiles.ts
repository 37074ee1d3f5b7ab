import type { Profile } from '@slotstream/protocol'
import type { ProfileBucket } from '../profile-bucket.js'
import type { StoredEntry } from '../stored-entries.js'
import type { Redis } from './open-redis.js'
import type { Current } from './publish-changes.js'
import type { RedisKeys } from './redis-keys.js'

/** Profiles that are read at a time. */
const READ_TOGETHER = 100

/** Revisions count microseconds. */
const MICROS = 1_000

export interface ReadingDeps {
  redis: Redis
  keys: RedisKeys
  bucket: ProfileBucket
  read: (key: string) => Promise<Current>
}

/**
 * Reads the profiles of a partition from a revision on that were written before a time (milliseconds since the epoch),
 * in the order in which they were last written.
 *
 * @param isWanted says of a key whether its profile is read. Default: all are
 */
export async function* entriesByRevision(
  { redis, keys, bucket, read }: ReadingDeps,
  partition: number,
  { from, before }: { from: number; before: number },
  abort: AbortSignal,
  isWanted: (key: string) => boolean = () => true,
): AsyncGenerator<StoredEntry> {
  const { order } = keys.partition(partition)
  const until = before === Number.POSITIVE_INFINITY ? '+inf' : `(${Math.floor(before * MICROS)}`
  let next: string | number = from
  for (;;) {
    const page: { value: string; score: number }[] = await redis.zRangeWithScores(order, next, until, {
      BY: 'SCORE',
      LIMIT: { offset: 0, count: READ_TOGETHER },
    })
    const selected = page.filter(({ value }) => isWanted(value))
    const currents = await Promise.all(selected.map(({ value }) => read(value)))
    for (const [index, { value: key, score }] of selected.entries()) {
      if (abort.aborted) return
      const { profile, revision } = currents[index]!
      // What was written meanwhile is younger, and comes later.
      if (revision === score) yield { profile, revision, subject: bucket.subjectOf(key), isMark: false }
    }
    if (page.length < READ_TOGETHER || abort.aborted) return
    next = `(${page.at(-1)!.score}`
  }
}

/** Calls `each` with the newest profiles of a partition: see `ProfileStore.loadNewest`. */
export async function loadNewestOf(
  { redis, keys, read, partitions }: ReadingDeps & { partitions: number },
  partition: number,
  limit: { profiles: number; bytes: number },
  each: (profile: Profile, revision: number) => void,
  abort: AbortSignal,
): Promise<boolean> {
  const { order } = keys.partition(partition)
  const most = { profiles: Math.ceil(limit.profiles / partitions), bytes: limit.bytes / partitions }
  const newest: Current[] = []
  let bytes = 0
  let isAll = false
  while (!isAll && newest.length < most.profiles && bytes < most.bytes && !abort.aborted) {
    const count = Math.min(READ_TOGETHER, most.profiles - newest.length)
    const page = await redis.zRange(order, newest.length, newest.length + count - 1, { REV: true })
    for (const current of await Promise.all(page.map(read))) {
      newest.push(current)
      bytes += current.bytes
    }
    isAll = page.length < count
  }
  // The one used last comes last, as in any memory of limited size.
  for (const { profile, revision } of newest.reverse()) if (profile && !abort.aborted) each(profile, revision)
  return (isAll || newest.length >= (await redis.zCard(order))) && !abort.aborted
}
