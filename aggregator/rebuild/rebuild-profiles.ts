import { type Profile, profilesBucket, type StreamPart, streamSubject } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Nats,
  type Publisher,
  readGeneration,
  readStream,
  switchGeneration,
} from '@slotstream/runtime'
import { applyEnvelope } from '../profiles/apply.js'
import { forEachAtOnce } from '../profiles/for-each-at-once.js'
import { parseEnvelope } from '../profiles/parse-envelope.js'
import { createProfileStore, type ProfileStore } from '../profiles/profile-store.js'

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
  /** Profiles as of before a stream's first message; undefined: the streams are all there is. */
  history?: (part: StreamPart, firstSeq: number) => AsyncIterable<Profile>
  say: (line: string) => void
}

/** Messages of one of the streams of events, both ends included. */
interface Range {
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
  const { nats, publisher, installation, log, history, say } = parts
  const { generation: old, revision } = await readGeneration(installation.buckets.meta)
  const generation = old + 1
  const bucket = profilesBucket(generation)
  const ranges = await Promise.all(installation.streams.events.map(rangeOf))
  for (const { part, first } of ranges)
    if (first > 1 && !history)
      throw new Error(`the stream ${part.name} begins at message ${first}: for what came before, use --from events`)

  const profiles = await emptyBucket()
  const buckets = { ...installation.buckets, profiles }
  const store = createProfileStore(nats, publisher, { ...installation, generation, buckets }, log)
  const before = await nats.kvm.open(profilesBucket(old))
  if (history)
    // Also before a first message numbered 1: the stream may have been made anew.
    for (const { part, first } of ranges)
      say(`${await keep(store, history(part, first))} profiles from the table events`)

  let total = 0
  for (const range of ranges)
    for (let partition = range.part.first; partition <= range.part.last; partition++) {
      const found = await replay(partition, range)
      await forEachAtOnce(WRITES_AT_ONCE, [...found.values()], profile => store.write(profile))
      await forgetOthers(partition, found)
      await store.writeCheckpoint(partition, range.end)
      total += found.size
    }
  await orderAfterOlder()
  await switchGeneration(installation.buckets.meta, generation, revision)
  const ends = ranges.map(({ part, end }) => `${part.name} up to message ${end}`).join(', ')
  say(`${total} profiles from the stream, ${ends}: generation ${generation} counts now`)
  return generation

  /** What a rebuild that died left behind is of no use. */
  async function emptyBucket() {
    await nats.manager.streams.delete(`KV_${bucket}`).catch(() => false)
    const { streamInfo } = await installation.buckets.meta.status()
    return nats.kvm.create(bucket, { history: 1, replicas: streamInfo.config.num_replicas, allow_direct: false })
  }

  /** What a stream has now: nothing after it is read here, and the live roles go on from there. */
  async function rangeOf(part: StreamPart): Promise<Range> {
    const { first_seq, last_seq } = (await nats.manager.streams.info(part.name)).state
    return { part, first: Math.max(1, first_seq), end: last_seq }
  }

  async function replay(partition: number, { part: { name }, first, end }: Range): Promise<Map<string, Profile>> {
    const found = new Map<string, Profile>()
    const subject = streamSubject('events', partition)
    if (!(await nats.manager.streams.getMessage(name, { last_by_subj: subject }))) return found
    const reader = readStream(nats, name, { from: first, filter: subject, log })
    for await (const message of reader) {
      if (message.seq > end) break
      const envelope = parseEnvelope(message.data)
      if (!(envelope instanceof Error)) {
        const key = `${envelope.siteId}\0${envelope.visitorId}`
        try {
          const known = found.get(key) ?? (history && (await store.read(envelope.siteId, envelope.visitorId)).profile)
          const profile = applyEnvelope(known, envelope, message.seq)
          if (profile) found.set(key, profile)
        } catch {
          // The live role keeps it as a dead letter.
        }
      }
      if (message.info.pending === 0) break
    }
    await reader.stop()
    return found
  }

  /** Whoever has a profile in the old generation only is marked as deleted in the new, so that ClickHouse hears of it. */
  async function forgetOthers(partition: number, found: Map<string, Profile>): Promise<void> {
    const kept = new Set([...found.values()].map(store.keyOf))
    for await (const key of await before.keys(`${partition}.>`))
      if (!kept.has(key) && !(history && (await profiles.get(key)))) await profiles.delete(key)
  }

  async function orderAfterOlder(): Promise<void> {
    const offset = generation * POSITIONS_OF_A_GENERATION
    const start = { first: offset + 1, last: offset, offset }
    await installation.buckets.positions.put(`warehouse.KV_${bucket}`, JSON.stringify(start))
  }
}

async function keep(store: ProfileStore, profiles: AsyncIterable<Profile>): Promise<number> {
  let count = 0
  let batch: Profile[] = []
  const write = async () => {
    await forEachAtOnce(WRITES_AT_ONCE, batch, profile => store.write(profile))
    batch = []
  }
  for await (const profile of profiles) {
    count++
    if (batch.push(profile) >= 1_000) await write()
  }
  await write()
  return count
}
