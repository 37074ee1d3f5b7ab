import { uuidv7 } from '@slotstream/protocol'
import {
  connectNats,
  createHostCheck,
  createMetrics,
  createPublisher,
  type Installation,
  type Log,
  type Nats,
  type Publisher,
  provision,
  type Service,
  startStatusServer,
  watchLayout,
  watchTombstones,
} from '@slotstream/runtime'
import { startBatch } from './batch/role.js'
import { startDecisions } from './decisions/role.js'
import { loadItemModels } from './items/load-item-models.js'
import { answerContents } from './learning/contents/answer-contents.js'
import { type LearningDeps, startLearning } from './learning/start-learning.js'
import { type PeopleDeps, startPeople } from './people/start-people.js'
import { type Profiles, startProfiles } from './profiles/role.js'
import { redisAt } from './profiles/store/open-profile-store.js'
import { answerContentsThen } from './records/answer-contents-then.js'
import { answerRecords } from './records/answer-records.js'
import { answerResults } from './results/answer-results.js'
import type { aggregatorSettings } from './settings.js'
import { startReport } from './status/report.js'
import { createSkewTracker } from './status/skew-tracker.js'
import { answerHistories } from './value-history/answer-histories.js'
import { startWarehouse } from './warehouse/role.js'
import { startWebhooks } from './webhooks/role.js'

/**
 * Starts the roles that the settings name.
 *
 * @param outdated called when messages go into other streams from now on: what was started doesn't read those
 */
export async function startAggregator(
  settings: ReturnType<typeof aggregatorSettings>,
  log: Log,
  outdated: () => void,
): Promise<Service> {
  const { roles, maxProfiles, maxProfileBytes: maxBytes, anonymousDays, fillRate, clickhouse } = settings
  const { lake, parity, redraw, itemModels, experiments } = settings
  const nats = await connectNats(settings.nats, 'aggregator', log)
  const installation = await provision(nats, settings, log)
  const metrics = createMetrics()
  // Connections of their own: what a visitor waits for queues neither behind messages that are read and profiles that
  // are stored, nor behind stored profiles that are read.
  const lane = await connectNats(settings.nats, 'decisions', log)
  const reader = roles.includes('profiles') ? await connectNats(settings.nats, 'profiles', log) : undefined
  const [publisher, lanePublisher] = [createPublisher(nats), createPublisher(lane)]
  const skewTracker = createSkewTracker()
  const identity = { id: uuidv7(), name: settings.name }
  const tombstones = await watchTombstones(nats, installation, log)
  const redis = await redisAt(settings.redisUrl, installation, log)
  const deps = { nats, publisher, installation, metrics, log, identity, tombstones, redis }

  // Personalization comes first, and the warehouse is not waited for: ClickHouse being down must not stop it.
  const profiles = roles.includes('profiles')
    ? await startProfiles({ ...deps, lane, reader, maxProfiles, maxBytes, anonymousDays, fillRate, skewTracker })
    : undefined
  const deciding =
    profiles && roles.includes('decisions')
      ? await startDeciding({ ...deps, lane, lanePublisher, profiles, settings })
      : undefined
  const warehouse = roles.includes('warehouse')
    ? startWarehouse({ ...deps, clickhouse, settings: settings.warehouse })
    : undefined
  const answering =
    warehouse && (await startAnswering({ ...deps, clickhouse, anonymousDays, holds: () => warehouse.holds('events') }))
  const webhooks = roles.includes('webhooks')
    ? await startWebhooks({ ...deps, settings: settings.webhooks })
    : undefined
  const batch = roles.includes('batch')
    ? await startBatch({ ...deps, clickhouse, lake, parity, redraw, itemModels, experiments, anonymousDays })
    : undefined

  const report = startReport({
    ...deps,
    roles,
    skewTracker,
    applied: () => profiles?.applied() ?? [],
    loaded: async () => (await warehouse?.loaded()) ?? [],
    learned: () => deciding?.learned() ?? [],
    troubles: () => warehouse?.troubles() ?? [],
    noteLag: lag => {
      if (lag.role === 'warehouse') warehouse?.noteLag(lag)
    },
  })

  const missing = () => [
    ...([nats, lane, reader].every(each => each?.connected ?? true) ? [] : ['nats']),
    ...(redis && !redis.isReady ? ['redis'] : []),
    ...(profiles?.missing() ?? []),
    ...(deciding?.missing() ?? []),
    ...(warehouse?.missing() ?? []),
    ...(webhooks?.missing() ?? []),
  ]
  const hostCheck = createHostCheck(settings.allowedHosts)
  const status = await startStatusServer(settings.port, settings.host, metrics, missing, hostCheck)
  log.info({ roles, port: status.port }, 'started')
  const changed = () => {
    log.info('messages go into other streams from now on: starting again')
    outdated()
  }
  const layout = await watchLayout(nats, installation.buckets.meta, installation.layout, changed, log)

  return {
    async stop() {
      layout.stop()
      report.stop()
      // Partition by partition: each is answered for until it is given up.
      const services = [profiles, warehouse, webhooks, batch, answering]
      await Promise.all([deciding?.stopLearning(), ...services.map(service => service?.stop())])
      tombstones.stop()
      await deciding?.stop()
      publisher.close()
      lanePublisher.close()
      redis?.destroy()
      await status.close()
      await Promise.all([lane.close(), reader?.close()])
      await nats.close()
    },
  }
}

/** Starts what answers from the tables, beside the warehouse that loads them. */
async function startAnswering(deps: PeopleDeps & { anonymousDays: number }): Promise<Pick<Service, 'stop'>> {
  const server = deps.clickhouse
  const people = await startPeople(deps)
  const histories = await answerHistories({ ...deps, server })
  const others = [answerResults, answerRecords, answerContentsThen].map(answer => answer({ ...deps, server }))
  return {
    async stop() {
      await Promise.all([people, histories, ...others].map(each => each.stop()))
    },
  }
}

/** Starts what answers for slots, and what learns for it. */
async function startDeciding({
  lane,
  lanePublisher,
  profiles,
  settings: { itemModels, snapshotEveryMs, learningBytes },
  ...parts
}: Omit<LearningDeps, 'writesSnapshots' | 'snapshotEveryMs' | 'maxBytes'> & {
  installation: Installation
  lane: Nats
  lanePublisher: Publisher
  profiles: Profiles
  settings: Pick<ReturnType<typeof aggregatorSettings>, 'itemModels' | 'snapshotEveryMs' | 'learningBytes'>
}) {
  // One process holds the first partition, and one is enough.
  const learning = startLearning({
    ...parts,
    snapshotEveryMs,
    maxBytes: learningBytes,
    writesSnapshots: () => profiles.holds(0),
  })
  const items = itemModels.everyMs > 0 ? loadItemModels({ ...parts, maxBytes: itemModels.maxBytes }) : undefined
  const { modelOf, contentOf, contentAgeMs } = learning
  const models = { modelOf, contentOf, contentAgeMs, ...(items && { itemsOf: items.itemsOf }) }
  const decisions = await startDecisions({ ...parts, nats: lane, publisher: lanePublisher, profiles, models })
  const { definitionsOf, serves, onServing } = profiles
  const contents = answerContents({ nats: lane, contents: learning, definitionsOf, serves, log: parts.log })
  onServing(contents.set)
  return {
    missing: learning.missing,
    learned: learning.learned,
    async stopLearning() {
      await Promise.all([learning.stop(), items?.stop()])
    },
    stop: async () => void (await Promise.all([decisions.stop(), contents.stop()])),
  }
}
