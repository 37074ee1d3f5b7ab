import { ANONYMOUS_PROFILE_DAYS, applyEnvelope, hasEnded } from '@slotstream/core'
import {
  type EventEnvelope,
  POSITIONS_PER_STREAM,
  type Profile,
  partOf,
  profilesBucket,
  type StreamPart,
  stores,
  streamSubject,
} from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Nats,
  type PastPart,
  type Publisher,
  readGeneration,
  readStream,
  switchGeneration,
} from '@slotstream/runtime'
import { forEachAtOnce } from '../../profiles/store/for-each-at-once.js'
import { parseEnvelope } from '../../profiles/store/parse-envelope.js'
import { createProfileStore, type ProfileStore } from '../../profiles/store/profile-store.js'

const WRITES_AT_ONCE = 64

/**
 * Versions of profiles are ordered by position in ClickHouse: those of a generation come after all of the ones before,
 * whose streams count from 1 as well.
 */
const POSITIONS_OF_A_GENERATION = 2 ** 40

export interface RebuildProfilesParts {
  nats: Nats
  publisher: Publisher
  installation: Installation
  log: Log
  /**
   * Profiles of what came before the streams' first messages, each as of the sequence that `asOf` says of its partition;
   * undefined: the streams are all there is.
   */
  history?: (ranges: readonly Range[], asOf: (partition: number) => number) => AsyncIterable<Profile>
  /** Days after which the profile of a single anonymous visit has ended; 0 for never. Default 30 */
  anonymousDays?: number
  /** Milliseconds since the epoch. Default: the clock */
  now?: () => number
  say: (line: string) => void
}

/** Messages that one of the streams of events has now, both ends included. None when `first` comes after `end`. */
export interface Range {
  part: StreamPart
  first: number
  end: number
}

/**
 * Computes all profiles anew, in a bucket beside the one in use, and makes it the one that counts. The roles load it,
 * replay what came meanwhile, and then answer from it. One partition after the other is held in memory.
 *
 * @returns the generation that counts now
 * @throws when the stream doesn't begin at its beginning any more and there is no `history`
 */
export async function rebuildProfiles(parts: RebuildProfilesParts): Promise<number> {
  const {
    nats,
    publisher,
    installation,
    log,
    history,
    say,
    anonymousDays = ANONYMOUS_PROFILE_DAYS,
    now = Date.now,
  } = parts
  const lasts = (profile: Profile) => !hasEnded(profile, now(), anonymousDays)
  const { generation: old, revision } = await readGeneration(installation.buckets.meta)
  const generation = old + 1
  const bucket = profilesBucket(generation)
  const past = await Promise.all(installation.past.events.map(part => rangeOf(part)))
  const current = await Promise.all(installation.streams.events.map(part => rangeOf(part)))
  const ranges = [...past, ...current]
  for (const { part, first } of ranges)
    if (first > part.start && !history)
      throw new Error(`the stream ${part.name} begins at message ${first}: for what came before, use --from events`)

  const profiles = await emptyBucket()
  const buckets = { ...installation.buckets, profiles }
  const store = createProfileStore(nats, publisher, { ...installation, generation, buckets }, log)
  const before = await nats.kvm.open(profilesBucket(old))
  // Also before a first message numbered 1: the stream may have been made anew.
  if (history) say(`${await keep(store, history(ranges, asOf), lasts)} profiles from the table events`)

  let total = 0
  for (let partition = 0; partition < installation.partitions; partition++) {
    const found = await replay(partition)
    for (const [key, profile] of found) if (!lasts(profile)) found.delete(key)
    await forEachAtOnce(WRITES_AT_ONCE, [...found.values()], profile => store.write(profile))
    await forgetOthers(partition, found)
    await store.writeCheckpoint(partition, currentOf(partition).end)
    total += found.size
  }
  await orderAfterOlder()
  await switchGeneration(installation.buckets.meta, generation, revision)
  const ends = current.map(({ part, end }) => `${part.name} up to message ${end}`).join(', ')
  say(`${total} profiles from the stream, ${ends}: generation ${generation} counts now`)
  return generation

  /** What a rebuild that died left behind is of no use. */
  async function emptyBucket() {
    await nats.manager.streams.delete(`KV_${bucket}`).catch(() => false)
    const { streamInfo } = await installation.buckets.meta.status()
    return nats.kvm.create(bucket, { history: 1, replicas: streamInfo.config.num_replicas, allow_direct: false })
  }

  /** What a stream has now: nothing after it is read here, and the live roles go on from there. */
  async function rangeOf(part: StreamPart & Partial<PastPart>): Promise<Range> {
    if (part.gone) return { part, first: POSITIONS_PER_STREAM, end: 0 }
    const { first_seq, last_seq } = (await nats.manager.streams.info(part.name)).state
    return { part, first: Math.max(1, first_seq), end: last_seq }
  }

  function currentOf(partition: number): Range {
    const { name } = partOf(installation.streams.events, partition)
    return current.find(({ part }) => part.name === name)!
  }

  /** Sequence before the first message of a partition that is replayed. */
  function asOf(partition: number): number {
    const oldest = ranges.find(({ part, first, end }) => stores(part, partition) && first <= end)
    return oldest ? oldest.first - 1 : currentOf(partition).end
  }

  async function replay(partition: number): Promise<Map<string, Profile>> {
    const found = new Map<string, Profile>()
    for (const range of past) if (stores(range.part, partition)) await replayRange(partition, range, found)
    await replayRange(partition, currentOf(partition), found)
    return found
  }

  async function replayRange(partition: number, range: Range, found: Map<string, Profile>): Promise<void> {
    const { part, first, end } = range
    const subject = streamSubject('events', partition)
    if (first > end || !(await nats.manager.streams.getMessage(part.name, { last_by_subj: subject }))) return
    // nats-server lets nobody filter by a subject that a stream doesn't take any more.
    const filter = current.includes(range) ? { filter: subject } : {}
    const reader = readStream(nats, part.name, { from: first, ...filter, log })
    for await (const message of reader) {
      if (message.seq > end) break
      if (message.subject === subject) await apply(parseEnvelope(message.data), message.seq, found)
      if (message.info.pending === 0) break
    }
    await reader.stop()
  }

  async function apply(envelope: EventEnvelope | Error, seq: number, found: Map<string, Profile>): Promise<void> {
    if (envelope instanceof Error) return
    const { siteId, visitorId } = envelope
    const key = `${siteId}\0${visitorId}`
    try {
      const profile = applyEnvelope(
        found.get(key) ?? (history && (await store.read(siteId, visitorId)).profile),
        envelope,
        seq,
        anonymousDays,
      )
      if (profile) found.set(key, profile)
    } catch {
      // The live role keeps it as a dead letter.
    }
  }

  /** Whoever has a profile in the old generation only is marked as deleted in the new, so that ClickHouse hears of it. */
  async function forgetOthers(partition: number, found: Map<string, Profile>): Promise<void> {
    const kept = new Set([...found.values()].map(store.keyOf))
    for await (const key of await before.keys(`${partition}.>`))
      if (!kept.has(key) && !(history && (await profiles.get(key)))) {
        const entry = await before.get(key)
        if (entry?.operation === 'PUT') await store.markRemoved(entry.json<Profile>())
      }
  }

  async function orderAfterOlder(): Promise<void> {
    const offset = generation * POSITIONS_OF_A_GENERATION
    const start = { first: offset + 1, last: offset, offset }
    await installation.buckets.positions.put(`warehouse.KV_${bucket}`, JSON.stringify(start))
  }
}

async function keep(
  store: ProfileStore,
  profiles: AsyncIterable<Profile>,
  lasts: (profile: Profile) => boolean,
): Promise<number> {
  let count = 0
  let batch: Profile[] = []
  const write = async () => {
    await forEachAtOnce(WRITES_AT_ONCE, batch, profile => store.write(profile))
    batch = []
  }
  for await (const profile of profiles) {
    if (!lasts(profile)) continue
    count++
    if (batch.push(profile) >= 1_000) await write()
  }
  await write()
  return count
}
