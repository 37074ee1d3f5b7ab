import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import {
  BUCKETS,
  DEAD_LETTERS,
  pastParts,
  profilesBucket,
  type StreamKind,
  type StreamPart,
  streamParts,
  TOMBSTONE_DAYS,
} from '@slotstream/protocol'
import { ConfigurationError, type SharedSettings } from './environment.js'
import { createPrivacy, type Privacy, readPeopleSecret } from './keyed-hash.js'
import { KINDS, type Layout, layoutOf, otherThanSet } from './layout.js'
import type { Log } from './log.js'
import type { Nats } from './nats.js'
import { readGeneration } from './profiles-generation.js'

/**
 * How long JetStream remembers message ids. A retry inside it is dropped by the broker; a later one is found before
 * it is inserted. Longer costs the broker memory, about 100 bytes a batch.
 */
const DUPLICATE_WINDOW_MS = 2 * 60_000

const NANOS = 1_000_000

const GB = 1_000_000_000

/** What of an existing stream follows the settings. */
const CHANGEABLE = ['max_age', 'max_bytes', 'num_replicas'] as const

export type Buckets = Record<keyof typeof BUCKETS, KV>

/** A stream that takes nothing any more. */
export interface PastPart extends StreamPart {
  /** Somebody deleted it: what there is of it is in the tables. */
  gone: boolean
}

/** What an installation consists of inside NATS. */
export interface Installation {
  partitions: number
  /** The streams of each kind that take messages, in the order of their partitions. */
  streams: Record<StreamKind, StreamPart[]>
  /** Those that took them before. */
  past: Record<StreamKind, PastPart[]>
  layout: Layout
  /** Generation of the profiles that `buckets.profiles` holds: the one in use when this process started. */
  generation: number
  buckets: Buckets
  /** How people are named where their ids must not be kept. */
  privacy: Privacy
}

/**
 * Creates the streams and buckets that are missing and brings the others up to the settings. Every process calls it
 * on start, so none depends on the order in which they come up; it waits until JetStream answers. Throws
 * ConfigurationError when the settings want what can't be changed.
 */
export async function provision(nats: Nats, settings: SharedSettings, log: Log): Promise<Installation> {
  for (let attempt = 0; ; attempt++) {
    try {
      const installation = await provisionOnce(nats, settings)
      for (const line of otherThanSet(installation.layout, settings)) log.warn(line)
      return installation
    } catch (error) {
      if (error instanceof ConfigurationError) throw error
      if (attempt % 20 === 0) log.warn({ err: error }, 'JetStream is not ready yet, trying again')
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

async function provisionOnce(nats: Nats, settings: SharedSettings): Promise<Installation> {
  // Reads go to the leader: a replica may lag behind, and events applied to an old profile would be lost.
  const open = (bucket: string, days = 0) =>
    nats.kvm.create(bucket, {
      history: 1,
      replicas: settings.natsReplicas,
      allow_direct: false,
      ...(days > 0 && { ttl: days * 24 * 3600 * 1000 }),
    })
  const meta = await open(BUCKETS.meta)
  const layout = await layoutOf(meta, settings)
  const { partitions } = layout
  const past = await ofEachKind(async kind => {
    const parts = pastParts(kind, partitions, layout.past[kind])
    return Promise.all(parts.map(async part => ({ ...part, gone: !(await retireStream(nats, settings, part)) })))
  })
  // After the past ones, which may still hold the subjects.
  const streams = await ofEachKind(async kind => {
    const parts = streamParts(kind, layout.streams[kind], partitions, layout.past[kind])
    for (const part of parts) await provisionStream(nats, settings, part)
    return parts
  })
  await provisionDeadLetters(nats, settings)
  const { generation } = await readGeneration(meta)
  const buckets: Buckets = {
    sites: await open(BUCKETS.sites),
    catalog: await open(BUCKETS.catalog),
    plans: await open(BUCKETS.plans),
    profiles: await open(profilesBucket(generation)),
    positions: await open(BUCKETS.positions),
    leases: await open(BUCKETS.leases),
    jobs: await open(BUCKETS.jobs, TOMBSTONE_DAYS),
    tombstones: await open(BUCKETS.tombstones, TOMBSTONE_DAYS),
    meta,
  }
  const privacy = createPrivacy(await readPeopleSecret(meta))
  return { partitions, streams, past, layout, generation, buckets, privacy }
}

async function ofEachKind<T>(make: (kind: StreamKind) => Promise<T>): Promise<Record<StreamKind, T>> {
  const made = await Promise.all(KINDS.map(async kind => [kind, await make(kind)] as const))
  return Object.fromEntries(made) as Record<StreamKind, T>
}

async function provisionStream(nats: Nats, settings: SharedSettings, { name, subjects }: StreamPart): Promise<void> {
  const config = { subjects, ...configOf(settings) }
  if (!(await updateStream(nats, name, config))) await nats.manager.streams.add({ name, ...config })
}

/** Takes a stream's subjects from it; what it has stays until it is too old. Resolves to whether there is one. */
function retireStream(nats: Nats, settings: SharedSettings, { name, subjects }: StreamPart): Promise<boolean> {
  return updateStream(nats, name, { subjects, ...configOf(settings) })
}

/** Brings a stream up to `config`. Resolves to whether there is one. */
async function updateStream(nats: Nats, name: string, config: StreamSettings): Promise<boolean> {
  const existing = await nats.manager.streams.info(name).catch(ignoreNotFound)
  if (existing && differs(existing.config, config)) await nats.manager.streams.update(name, config)
  return existing !== undefined
}

type StreamSettings = ReturnType<typeof configOf> & Pick<StreamConfig, 'subjects'>

function configOf({ streamRetentionDays, streamMaxGb, natsReplicas }: SharedSettings) {
  return {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full stream refuses new messages, which the sender keeps, rather than dropping unread ones.
    discard: DiscardPolicy.New,
    max_age: streamRetentionDays * 24 * 3600 * 1000 * NANOS,
    max_bytes: streamMaxGb > 0 ? streamMaxGb * GB : -1,
    duplicate_window: DUPLICATE_WINDOW_MS * NANOS,
    num_replicas: natsReplicas,
    allow_direct: true,
  }
}

function differs(existing: StreamConfig, wanted: StreamSettings): boolean {
  return (
    CHANGEABLE.some(key => existing[key] !== wanted[key]) || existing.subjects.join(' ') !== wanted.subjects.join(' ')
  )
}

/** One letter per subject, so that a message that fails again is no second letter, however much later. */
async function provisionDeadLetters(nats: Nats, { natsReplicas }: SharedSettings): Promise<void> {
  const { name, subject } = DEAD_LETTERS
  const existing = await nats.manager.streams.info(name).catch(ignoreNotFound)
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

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Error && error.name === 'StreamNotFoundError') return undefined
  throw error
}
