import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { BUCKETS, DEAD_LETTERS, profilesBucket, STREAMS } from '@slotstream/protocol'
import type { SharedSettings } from './environment.js'
import type { Log } from './log.js'
import type { Nats } from './nats.js'
import { readGeneration } from './profiles-generation.js'

/**
 * How long JetStream remembers message ids. A retry inside it is dropped by the broker; a later one is found before
 * it is inserted. Longer costs the broker memory, about 100 bytes a batch.
 */
const DUPLICATE_WINDOW_MS = 2 * 60_000

const NANOS = 1_000_000

export type Buckets = Record<keyof typeof BUCKETS, KV>

/** What an installation consists of inside NATS. */
export interface Installation {
  partitions: number
  /** Generation of the profiles that `buckets.profiles` holds: the one in use when this process started. */
  generation: number
  buckets: Buckets
}

/**
 * Creates the streams and buckets that are missing and brings the others up to the settings. Every process calls it
 * on start, so none depends on the order in which they come up; it waits until JetStream answers.
 */
export async function provision(nats: Nats, settings: SharedSettings, log: Log): Promise<Installation> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await provisionOnce(nats, settings)
    } catch (error) {
      if (attempt % 20 === 0) log.warn({ err: error }, 'JetStream is not ready yet, trying again')
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

async function provisionOnce(nats: Nats, settings: SharedSettings): Promise<Installation> {
  for (const { name, subject } of Object.values(STREAMS)) {
    const config = {
      subjects: [`${subject}.*`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      // A full stream refuses new messages, which the sender keeps, rather than dropping unread ones.
      discard: DiscardPolicy.New,
      max_age: settings.streamRetentionDays * 24 * 3600 * 1000 * NANOS,
      duplicate_window: DUPLICATE_WINDOW_MS * NANOS,
      num_replicas: settings.natsReplicas,
      allow_direct: true,
    }
    const existing = await nats.manager.streams.info(name).catch(ignoreNotFound)
    if (!existing) await nats.manager.streams.add({ name, ...config })
    else if (existing.config.max_age !== config.max_age || existing.config.num_replicas !== config.num_replicas)
      await nats.manager.streams.update(name, config)
  }
  await provisionDeadLetters(nats, settings)
  // Reads go to the leader: a replica may lag behind, and events applied to an old profile would be lost.
  const open = (bucket: string) =>
    nats.kvm.create(bucket, { history: 1, replicas: settings.natsReplicas, allow_direct: false })
  const meta = await open(BUCKETS.meta)
  const { generation } = await readGeneration(meta)
  const buckets: Buckets = {
    sites: await open(BUCKETS.sites),
    catalog: await open(BUCKETS.catalog),
    profiles: await open(profilesBucket(generation)),
    positions: await open(BUCKETS.positions),
    leases: await open(BUCKETS.leases),
    meta,
  }
  return { partitions: await fixedPartitions(buckets.meta, settings.partitions), generation, buckets }
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

/** The number of partitions is fixed by whoever comes first: changing it would tear visitors' histories apart. */
async function fixedPartitions(meta: KV, wanted: number): Promise<number> {
  const known = await meta.get('installation')
  if (known) return known.json<{ partitions: number }>().partitions
  try {
    await meta.create('installation', JSON.stringify({ partitions: wanted }))
    return wanted
  } catch {
    const winner = await meta.get('installation')
    if (!winner) throw new Error('the number of partitions could be neither read nor written')
    return winner.json<{ partitions: number }>().partitions
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Error && error.name === 'StreamNotFoundError') return undefined
  throw error
}
