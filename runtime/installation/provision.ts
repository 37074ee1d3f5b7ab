import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import {
  BUCKETS,
  bucketStream,
  DEAD_LETTERS,
  pastParts,
  type StreamPart,
  streamParts,
  TOMBSTONE_DAYS,
} from '@slotstream/protocol'
import type { Nats } from '../nats/connection/nats.js'
import { streamInfo } from '../nats/streams/stream-info.js'
import type { Log } from '../process/log.js'
import { type Pauses, retryForever } from '../process/retry.js'
import { ConfigurationError } from '../settings/read.js'
import type { SharedSettings } from './environment.js'
import { bucketNames, type Installation, ofEachBucket, ofEachKind } from './installation.js'
import { createPrivacy, PEOPLE_SECRET, readPeopleSecret } from './keyed-hash.js'
import { LAYOUT_KEY, layoutOf, otherThanSet } from './layout.js'
import { keepMetaCopy } from './meta-copy.js'
import { firstGeneration, PROFILES_KEY } from './profiles-generation.js'
import { defaultStreamBytes, freeBytes, type SizeFacts } from './stream-size.js'

/**
 * How long JetStream remembers message ids. A retry inside it is dropped by the broker; a later one is found before
 * it is inserted. Longer costs the broker memory, about 100 bytes a batch.
 */
const DUPLICATE_WINDOW_MS = 2 * 60_000

const NANOS = 1_000_000

const GB = 1_000_000_000

/** Between two tries while JetStream is not ready, in milliseconds. */
const PAUSES: Pauses = { firstMs: 250, longestMs: 250 }

/**
 * Revisions of a key that a bucket keeps, where it keeps more than the last one: of definitions the most that KV can;
 * of the catalog as many as an item may change while ClickHouse, which gets all of them, can't be reached.
 */
const REVISIONS: Partial<Record<keyof typeof BUCKETS, number>> = { definitions: 64, catalog: 16 }

/** Properties of an existing stream that follow the settings. */
const CHANGEABLE = ['max_age', 'max_bytes', 'num_replicas'] as const

/**
 * Creates the streams and buckets that are missing and brings the others up to the settings. Every process but the
 * collector calls it on start, so none depends on the order in which they come up; it waits until JetStream answers.
 *
 * @throws ConfigurationError when the settings want what can't be changed
 */
export async function provision(nats: Nats, settings: SharedSettings, log: Log): Promise<Installation> {
  const installation = await retryForever(
    () => provisionOnce(nats, settings, log),
    undefined,
    (error, attempt) => {
      if (attempt % 20 === 0) log.warn({ err: error }, 'JetStream is not ready yet, trying again')
    },
    error => error instanceof ConfigurationError,
    PAUSES,
  )
  for (const line of otherThanSet(installation.layout, settings)) log.warn(line)
  return installation
}

async function provisionOnce(nats: Nats, settings: SharedSettings, log: Log): Promise<Installation> {
  // Reads go to the leader: a replica may lag behind, and events applied to an old profile would be lost.
  const open = (bucket: string, days = 0, revisions = 1) =>
    nats.kvm.create(bucket, {
      history: revisions,
      replicas: settings.natsReplicas,
      allow_direct: false,
      ...(days > 0 && { ttl: days * 24 * 3600 * 1000 }),
    })
  const meta = await open(BUCKETS.meta)
  const layout = await layoutOf(meta, settings, log)
  const { partitions } = layout
  const past = await ofEachKind(async kind => {
    const parts = pastParts(kind, partitions, layout.past[kind])
    return Promise.all(parts.map(async part => ({ ...part, gone: !(await retireStream(nats, settings, part)) })))
  })
  const free = settings.streamMaxGb === undefined ? await freeBytes(settings.natsStoreDir) : undefined
  // After the past ones, which may still hold the subjects.
  const streams = await ofEachKind(async kind => {
    const parts = streamParts(kind, layout.streams[kind], partitions, layout.past[kind])
    for (const part of parts) await provisionStream(nats, settings, part, { kind, streams: parts.length, free }, log)
    return parts
  })
  await provisionDeadLetters(nats, settings)
  const { generation } = await firstGeneration(meta, log)
  const privacy = createPrivacy(await readPeopleSecret(meta, log))
  for (const key of [LAYOUT_KEY, PROFILES_KEY, PEOPLE_SECRET]) await keepMetaCopy(meta, key)
  const days = { jobs: TOMBSTONE_DAYS, tombstones: TOMBSTONE_DAYS } as Partial<Record<keyof typeof BUCKETS, number>>
  const names = bucketNames(generation)
  const buckets = await ofEachBucket(key => open(names[key], days[key], REVISIONS[key]))
  for (const [key, revisions] of Object.entries(REVISIONS))
    await keepRevisions(nats, names[key as keyof typeof BUCKETS], revisions)
  return { partitions, streams, past, layout, generation, buckets, privacy }
}

/** Makes a bucket of an earlier version keep as many revisions of a key; never fewer than it does. */
async function keepRevisions(nats: Nats, bucket: string, revisions: number): Promise<void> {
  const existing = await streamInfo(nats, bucketStream(bucket))
  if (existing && existing.config.max_msgs_per_subject < revisions)
    await nats.manager.streams.update(bucketStream(bucket), { max_msgs_per_subject: revisions })
}

async function provisionStream(
  nats: Nats,
  settings: SharedSettings,
  { name, subjects }: StreamPart,
  size: Pick<SizeFacts, 'kind' | 'streams' | 'free'>,
  log: Log,
): Promise<void> {
  const existing = await streamInfo(nats, name)
  const facts = { ...size, held: existing?.state.bytes ?? 0, current: existing?.config.max_bytes }
  const maxBytes = settings.streamMaxGb === undefined ? defaultStreamBytes(facts) : undefined
  const config = { subjects, ...configOf(settings, maxBytes) }
  const bring = (to: StreamSettings) => bringUpTo(nats, name, existing?.config, to)
  try {
    await bring(config)
  } catch (error) {
    // A server promises its streams no more than its disk: rather one without a limit than none.
    if (maxBytes === undefined || maxBytes <= 0 || maxBytes === existing?.config.max_bytes) throw error
    await bring({ ...config, max_bytes: -1 })
    log.warn({ err: error, stream: name, maxBytes }, 'the stream could not be given a size: set STREAM_MAX_GB')
  }
}

async function bringUpTo(
  nats: Nats,
  name: string,
  existing: StreamConfig | undefined,
  config: StreamSettings,
): Promise<void> {
  if (!existing) await nats.manager.streams.add({ name, ...config })
  else if (differs(existing, config)) await nats.manager.streams.update(name, config)
}

/** Takes a stream's subjects from it; what it has stays until it is too old. Resolves to whether there is one. */
async function retireStream(nats: Nats, settings: SharedSettings, { name, subjects }: StreamPart): Promise<boolean> {
  const existing = await streamInfo(nats, name)
  // It grows no more: a size would only take from what the others may be promised.
  if (existing) await bringUpTo(nats, name, existing.config, { subjects, ...configOf(settings, -1) })
  return existing !== undefined
}

type StreamSettings = ReturnType<typeof configOf> & Pick<StreamConfig, 'subjects'>

/** @param maxBytes the size where the settings name none; -1: no limit */
function configOf({ streamRetentionDays, streamMaxGb, natsReplicas }: SharedSettings, maxBytes = -1) {
  const size = streamMaxGb === undefined ? maxBytes : streamMaxGb * GB
  return {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full stream refuses new messages, which the sender keeps, rather than dropping unread ones.
    discard: DiscardPolicy.New,
    max_age: streamRetentionDays * 24 * 3600 * 1000 * NANOS,
    max_bytes: size > 0 ? size : -1,
    duplicate_window: DUPLICATE_WINDOW_MS * NANOS,
    num_replicas: natsReplicas,
    allow_direct: true,
  }
}

function differs(existing: StreamConfig, settings: StreamSettings): boolean {
  return (
    CHANGEABLE.some(key => existing[key] !== settings[key]) ||
    existing.subjects.join(' ') !== settings.subjects.join(' ')
  )
}

/**
 * Creates the stream of dead letters. It takes one letter per subject, so that a message that fails again is no second
 * letter, however much later.
 */
async function provisionDeadLetters(nats: Nats, { natsReplicas }: SharedSettings): Promise<void> {
  const { name, subject } = DEAD_LETTERS
  const existing = await streamInfo(nats, name)
  if (existing?.config.num_replicas === natsReplicas) return
  const config = { subjects: [`${subject}.>`], num_replicas: natsReplicas, allow_direct: true }
  if (existing) await nats.manager.streams.update(name, config)
  else
    await nats.manager.streams.add({
      name,
      ...config,
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
    })
}
