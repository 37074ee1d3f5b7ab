import type { COLLECTOR_BUCKETS } from '@slotstream/protocol'
import {
  answerStatus,
  createPublisher,
  type Installation,
  type Log,
  type Nats,
  type Service,
  skipEntry,
} from '@slotstream/runtime'
import { createCheckMeaning } from './admin/catalog/check-meaning.js'
import { createCatalogStore } from './admin/catalog/store/catalog-store.js'
import { decisionDeps } from './admin/decisions/deps.js'
import { definitionDeps } from './admin/definitions/deps.js'
import { createExperimentRouteDeps } from './admin/experiments/create-route-deps.js'
import { pipelineRoute } from './admin/pipeline/route.js'
import { createPlanStore } from './admin/plan/plan-store.js'
import { profileDeps } from './admin/profiles/deps.js'
import { createReadValueHistory } from './admin/profiles/read-value-history.js'
import { adminRoutes } from './admin/routes.js'
import { createAskWebhooks } from './admin/webhooks/ask-webhooks.js'
import { createWebhookStore } from './admin/webhooks/webhook-store.js'
import { createEnrich } from './enrich/enrich.js'
import type { Places } from './enrich/places.js'
import { createHttpServer, type HttpServer } from './http/http-server.js'
import { writeKeyRoutes } from './http/routes.js'
import { createStoreBatch } from './intake/store-batch.js'
import { createPreviewTokens } from './keys/preview-tokens.js'
import { warningOfOpenSites } from './keys/warn-open-sites.js'
import { ADMIN_PATHS } from './openapi/admin-paths.js'
import { createPlans } from './plan/plans.js'
import { createPublicFeatures } from './public-features.js'
import { type CollectorSettings, collectorSettings } from './settings.js'
import { createSites } from './sites.js'
import { createContentCategories } from './slots/content-categories.js'
import { createDecide } from './slots/decide.js'
import { watchState } from './watch-state.js'

export interface CollectorDeps {
  nats: Nats
  /**
   * Connection by which decisions are asked for, so that they don't queue behind messages on their way to the stream.
   * Default: the same.
   */
  decideNats?: Nats
  installation: Installation<(typeof COLLECTOR_BUCKETS)[number]>
  adminToken: string
  /** Folder that is served under `/demo/`, if it exists. */
  demoDir: string
  /** File that is served as `/sdk.js`. */
  sdkFile: string
  log: Log
  /** How long a decision may take, in milliseconds. Default 1,000. */
  decideTimeoutMs?: number
  settings?: Partial<CollectorSettings>
  /** Where addresses are. Default: not known. */
  places?: Places
}

export interface Collector extends Service, Pick<HttpServer, 'listen'> {}

/** Creates the collector: HTTP in, JetStream out. It keeps nothing; any number of them can run side by side. */
export function createCollector(deps: CollectorDeps): Collector {
  const { nats, log, installation, decideNats = nats } = deps
  const { partitions, buckets } = installation
  const sites = createSites({
    onSite: warningOfOpenSites(log),
    onMisfit: (key, reason) => skipEntry(log, 'sites', { key }, reason),
  })
  const publisher = createPublisher(nats)
  const plans = createPlans(log, (siteId, revision) => server.metrics.planInUse(siteId, revision))
  const categories = createContentCategories()
  const publicFeatures = createPublicFeatures()
  const state = watchState({ nats, installation, sites, plans, categories, publicFeatures, log })

  const definitions = definitionDeps(buckets, partitions)
  const settings = { ...collectorSettings({}), ...deps.settings }
  const server = createHttpServer({
    sites,
    settings,
    log,
    places: deps.places,
    categoryOf: categories.of,
    publicFeatures,
    ready: state.isLoaded,
    missing: () => [...(nats.connected ? [] : ['NATS']), ...(state.isLoaded() ? [] : ['sites'])],
    routes: tools =>
      writeKeyRoutes({
        ...tools,
        store: createStoreBatch(publisher, partitions, tools.metrics, plans, state.tombstones),
        decide: createDecide({ ...tools, nats: decideNats, publisher, partitions, timeoutMs: deps.decideTimeoutMs }),
        previewTokens: createPreviewTokens(installation.privacy, Date.now),
      }),
    adminToken: deps.adminToken,
    mounted: ({ metrics, gate }) => [
      {
        path: '/v1/admin',
        described: ADMIN_PATHS,
        router: adminRoutes({
          gate,
          sites,
          nats,
          log,
          privacy: installation.privacy,
          tombstones: state.tombstones,
          buckets,
          ...profileDeps(decideNats, partitions),
          catalog: createCatalogStore(buckets, log),
          checkMeaning: createCheckMeaning(definitions.definitionStore),
          plans,
          planStore: createPlanStore(buckets.plans),
          ...definitions,
          ...createExperimentRouteDeps(nats, buckets),
          ...decisionDeps(nats),
          readValueHistory: createReadValueHistory(nats),
          webhookStore: createWebhookStore(nats, buckets, installation.privacy),
          askWebhooks: createAskWebhooks(decideNats, partitions),
          allowPrivateWebhooks: settings.allowPrivateWebhooks,
          enrich: createEnrich(deps.places, categories.of),
          publisher,
          partitions,
          exportStallMs: settings.exportStallMs,
          metrics,
          pipeline: pipelineRoute(nats, partitions),
          ready: () => state.isLoaded() && nats.connected,
        }),
      },
    ],
    demoDir: deps.demoDir,
    sdkFile: deps.sdkFile,
  })
  const status = answerStatus({ nats, part: 'collector', metrics: server.metrics, log })

  return {
    listen: server.listen,
    async stop() {
      await server.stop()
      status.stop()
      await state.stop()
      deps.places?.stop()
      publisher.close()
    },
  }
}
