import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import {
  BUCKETS,
  DEAD_LETTERS,
  profilesBucket,
  STREAMS,
  type StreamKind,
  type StreamPart,
  streamParts,
} from '@slotstream/protocol'
import { ConfigurationError, type SharedSettings } from './environment.js'
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

/** Key in the bucket `meta` of what can't change. */
const LAYOUT_KEY = 'installation'

/** What of an existing stream follows the settings. */
const CHANGEABLE = ['max_age', 'max_bytes', 'num_replicas'] as const

export type Buckets = Record<keyof typeof BUCKETS, KV>

/** What an installation consists of inside NATS. */
export interface Installation {
  partitions: number
  /** The streams of each kind, in the order of their partitions. */
  streams: Record<StreamKind, StreamPart[]>
  /** Generation of the profiles that `buckets.profiles` holds: the one in use when this process started. */
  generation: number
  buckets: Buckets
}

/**
 * Creates the streams and buckets that are missing and brings the others up to the settings. Every process calls it
 * on start, so none depends on the order in which they come up; it waits until JetStream answers. Throws
 * ConfigurationError when the settings want what can't be changed.
 */
export async function provision(nats: Nats, settings: SharedSettings, log: Log): Promise<Installation> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await provisionOnce(nats, settings)
    } catch (error) {
      if (error instanceof ConfigurationError) throw error
      if (attempt % 20 === 0) log.warn({ err: error }, 'JetStream is not ready yet, trying again')
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

async function provisionOnce(nats: Nats, settings: SharedSettings): Promise<Installation> {
  // Reads go to the leader: a replica may lag behind, and events applied to an old profile would be lost.
  const open = (bucket: string) =>
    nats.kvm.create(bucket, { history: 1, replicas: settings.natsReplicas, allow_direct: false })
  const meta = await open(BUCKETS.meta)
  const { partitions, streams: counts } = await fixedLayout(meta, settings)
  const of = (kind: StreamKind) => streamParts(kind, counts[kind], partitions)
  const streams = { events: of('events'), decisions: of('decisions'), signals: of('signals'), rejected: of('rejected') }
  for (const part of Object.values(streams).flat()) await provisionStream(nats, settings, part)
  await provisionDeadLetters(nats, settings)
  const { generation } = await readGeneration(meta)
  const buckets: Buckets = {
    sites: await open(BUCKETS.sites),
    catalog: await open(BUCKETS.catalog),
    plans: await open(BUCKETS.plans),
    profiles: await open(profilesBucket(generation)),
    positions: await open(BUCKETS.positions),
    leases: await open(BUCKETS.leases),
    meta,
  }
  return { partitions, streams, generation, buckets }
}

async function provisionStream(nats: Nats, settings: SharedSettings, { name, subjects }: StreamPart): Promise<void> {
  const config = {
    subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full stream refuses new messages, which the sender keeps, rather than dropping unread ones.
    discard: DiscardPolicy.New,
    max_age: settings.streamRetentionDays * 24 * 3600 * 1000 * NANOS,
    max_bytes: settings.streamMaxGb > 0 ? settings.streamMaxGb * GB : -1,
    duplicate_window: DUPLICATE_WINDOW_MS * NANOS,
    num_replicas: settings.natsReplicas,
    allow_direct: true,
  }
  const existing = await nats.manager.streams.info(name).catch(ignoreNotFound)
  if (!existing) await nats.manager.streams.add({ name, ...config })
  else if (CHANGEABLE.some(key => existing.config[key] !== config[key])) await nats.manager.streams.update(name, config)
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

/** What can't change: which partition a visitor is in, and which stream stores it. */
interface Layout {
  partitions: number
  streams: Record<StreamKind, number>
}

/**
 * The layout is fixed by whoever comes first. Other partitions would tear visitors' histories apart, and other streams
 * the order of a partition's messages.
 */
async function fixedLayout(meta: KV, settings: SharedSettings): Promise<Layout> {
  const known = await readLayout(meta)
  if (known) return checked(known, settings)
  const { partitions, streams } = settings
  const wanted: Layout = {
    partitions,
    streams: {
      events: streams.events ?? 1,
      decisions: streams.decisions ?? 1,
      signals: streams.signals ?? 1,
      rejected: streams.rejected ?? 1,
    },
  }
  for (const [kind, count] of Object.entries(wanted.streams))
    if (count > partitions)
      throw new ConfigurationError(`${variableOf(kind)} is ${count}: there are ${partitions} partitions to share`)
  try {
    await meta.create(LAYOUT_KEY, JSON.stringify(wanted))
    return wanted
  } catch {
    const winner = await readLayout(meta)
    if (!winner) throw new Error('the number of partitions could be neither read nor written')
    return checked(winner, settings)
  }
}

/** Installations older than the setting, or than a kind, have one stream of it. */
async function readLayout(meta: KV): Promise<Layout | undefined> {
  const entry = await meta.get(LAYOUT_KEY)
  if (entry?.operation !== 'PUT') return undefined
  const known = entry.json<Pick<Layout, 'partitions'> & Partial<Layout>>()
  return { ...known, streams: { events: 1, decisions: 1, signals: 1, rejected: 1, ...known.streams } }
}

function checked(layout: Layout, { streams }: SharedSettings): Layout {
  for (const [kind, wanted] of Object.entries(streams)) {
    const count = layout.streams[kind as StreamKind]
    if (wanted !== undefined && wanted !== count)
      throw new ConfigurationError(
        `${variableOf(kind)} is ${wanted}, and this installation was made with ${count}: leave it out, or see "More streams" in docs/architecture.md for how to change it`,
      )
  }
  return layout
}

function variableOf(kind: string): string {
  return `${STREAMS[kind as StreamKind].name}_STREAMS`
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Error && error.name === 'StreamNotFoundError') return undefined
  throw error
}
