import type { SignalRecord } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  NO_TOMBSTONES,
  type Publisher,
  pause,
  type Tombstones,
} from '@slotstream/runtime'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'
import type { WebhookSettings } from '../settings.js'
import { answerRequests } from './answer-requests.js'
import { createAtOnce } from './at-once.js'
import { type DeclaredWebhooks, watchWebhooks } from './declared/watch-webhooks.js'
import { type WebhookMetrics, webhookMetrics } from './metrics.js'
import { createAttempt } from './partition/attempt.js'
import { createPartition, type Partition } from './partition/partition.js'
import { createSignalSource } from './partition/signal-source.js'
import { createPublishDelivery } from './publish-delivery.js'
import { createPump } from './pump.js'
import { createSender, type Sender } from './send/send-request.js'
import { createLetterStore } from './store/letter-store.js'
import { createPositionStore } from './store/position-store.js'

/**
 * Signals of a webhook that may be pending in a partition, whatever the settings say: they are one entry of a bucket.
 */
const MAX_PENDING = 1_000

/** Webhooks that requests may be under way to at a time, at their most. */
const BUSY_WEBHOOKS = 16

/** Pause before a partition is read again that another process seemed to have, in milliseconds. */
const AGAIN_MS = 1_000

export interface WebhooksDeps {
  nats: Nats
  publisher: Pick<Publisher, 'publish'>
  installation: Installation
  metrics: Metrics
  log: Log
  identity: Identity
  settings: WebhookSettings
  /** Deleted persons: their signals are not delivered. Default: none */
  tombstones?: Tombstones
  /** Milliseconds since the epoch. Default: the clock */
  now?: () => number
  /** Sends the requests. Default: over the network */
  sender?: Sender
}

/** The webhooks role: delivers signals to the webhooks of their sites, for its share of the partitions. */
export interface Webhooks {
  /** Returns what is missing until all partitions are delivered, here and elsewhere; empty when nothing is. */
  missing(): string[]
  /** Lets requests under way end, stores how far they are, and gives all partitions up. */
  stop(): Promise<void>
}

/** Starts the role. Resolves when it has joined those that share the partitions. */
export async function startWebhooks(deps: WebhooksDeps): Promise<Webhooks> {
  const { nats, installation, metrics, log, identity, settings, now = Date.now } = deps
  const { partitions, buckets, privacy } = installation
  const running = new Map<number, Partition>()
  const counters = webhookMetrics(metrics)
  const sender = deps.sender ?? createSender(settings)
  const atOnce = createAtOnce(settings.atOnce, settings.atOnce * BUSY_WEBHOOKS)
  const pump = createPump({ partitions: () => [...running.values()], atOnce, metrics: counters, now })
  const declared = await watchWebhooks(
    nats,
    buckets.webhooks,
    privacy,
    () => {
      for (const partition of running.values()) partition.update()
    },
    log,
  )
  const hasLetters = (await buckets.webhookLetters.status()).values > 0
  let leaseGroup: LeaseGroup | undefined
  const holds = (index: number) => leaseGroup?.holds(String(index)) ?? false
  const answers = answerRequests({ nats, partitionOf: index => (holds(index) ? running.get(index) : undefined), log })
  const start = createStart(deps, {
    ...{ declared, sender, wake: pump.wake, metrics: counters },
    isIdle: () => !hasLetters && declared.all().length === 0,
    onLoaded: index => void answers.set(index, true),
    onLost: (index, partition) => void restart(index, partition),
  })

  leaseGroup = await joinLeaseGroup({
    nats,
    installation,
    metrics,
    log,
    identity,
    group: 'webhooks',
    resources: Array.from({ length: partitions }, (_, index) => String(index)),
    onGain(gained) {
      for (const index of gained.map(Number)) running.set(index, start(index))
    },
    async onRelease(resource) {
      await answers.set(Number(resource), false)
      await running.get(Number(resource))?.release()
      running.delete(Number(resource))
    },
    onLose(resource) {
      void answers.set(Number(resource), false)
      running.get(Number(resource))?.drop()
      running.delete(Number(resource))
    },
  })

  /** Restarts a partition whose stored state is another process's, which may be so for a moment only. */
  async function restart(index: number, lost: Partition): Promise<void> {
    if (running.get(index) !== lost) return
    log.warn({ partition: index }, 'another process delivered the signals of this partition')
    lost.drop()
    await answers.set(index, false)
    await pause(AGAIN_MS)
    if (running.get(index) === lost) running.set(index, start(index))
  }

  return {
    missing() {
      const unowned = leaseGroup.unowned().length
      return unowned > 0 ? [`webhooks: ${unowned} partitions have no owner yet`] : []
    },
    async stop() {
      await leaseGroup.stop()
      await answers.stop()
      await pump.stop()
      declared.stop()
      sender.close()
    },
  }
}

/** Creates the function that starts to deliver the signals of a partition. */
function createStart(
  { nats, publisher, installation, settings, tombstones = NO_TOMBSTONES, now = Date.now, log }: WebhooksDeps,
  {
    declared,
    sender,
    wake,
    metrics,
    isIdle,
    onLoaded,
    onLost,
  }: {
    declared: DeclaredWebhooks
    sender: Sender
    wake: () => void
    metrics: WebhookMetrics
    isIdle: () => boolean
    onLoaded: (index: number) => void
    onLost: (index: number, partition: Partition) => void
  },
): (index: number) => Partition {
  const { partitions, buckets, privacy } = installation
  const publish = createPublishDelivery(publisher, log)
  const share = (most: number) => Math.max(1, Math.ceil(most / partitions))
  const isForgotten = (siteId: string, record: SignalRecord) =>
    tombstones.isForgotten(siteId, record, Date.parse(record.timestamp))
  const laneOf = (siteId: string, visitorId: string) => privacy.keyed(`webhook\0${siteId}\0${visitorId}`)
  return index => {
    const source = createSignalSource(nats, installation, index, log)
    const letters = createLetterStore(nats, buckets, index, log)
    const maxLetters = share(settings.maxLetters)
    const partition: Partition = createPartition({
      ...{ index, source, letters, declared, laneOf, now, log },
      positions: createPositionStore(nats, publisher, buckets, index, log),
      maxPending: Math.min(MAX_PENDING, share(settings.maxPending)),
      wake,
      isIdle,
      attempt: createAttempt({
        ...{ partition: index, source, letters, sender, publish, isForgotten, maxLetters, now, log },
        retry: settings,
        metrics,
      }),
      onLoaded: () => onLoaded(index),
      onLost: () => onLost(index, partition),
    })
    return partition
  }
}
