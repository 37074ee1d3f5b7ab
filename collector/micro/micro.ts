import { type Log, SETTINGS } from '@slotstream/runtime'
import type { CompiledPlan } from '@slotstream/tracking-plan'
import { Failure } from '../http/failure.js'
import { createHttpServer, type HttpServer } from '../http/http-server.js'
import { writeKeyRoutes } from '../http/routes.js'
import { createStoreBatch } from '../intake/store-batch.js'
import { createPublicFeatures } from '../public-features.js'
import { type CollectorSettings, collectorSettings } from '../settings.js'
import { createAnySite } from './any-site.js'
import { createMessageMemory } from './message-memory.js'
import { MICRO_PATHS } from './micro-paths.js'
import { microRoutes } from './micro-routes.js'
import { createAnswerSlots, type SlotAnswers } from './slot-answers.js'

const { MICRO_MAX_MESSAGES, MICRO_MAX_MB } = SETTINGS
const MB = 1024 * 1024

/** Of use when messages are told apart by partition; here they all lie in one place. */
const PARTITIONS = 1

export interface MicroDeps {
  /** Write keys there are. Default: any. */
  writeKeys?: readonly string[]
  /** Messages that are kept; the oldest make room for new ones. Default 10,000. */
  maxMessages?: number
  /** The same in bytes of JSON text. Default 64 MB. */
  maxBytes?: number
  /** The tracking plan of all sites. Default: none. */
  plan?: CompiledPlan | undefined
  /** Answers of slots. Default: none, and pages keep their own content. */
  slots?: SlotAnswers | undefined
  /** File that is served as `/sdk.js`. */
  sdkFile: string
  log: Log
  settings?: Partial<CollectorSettings>
}

/**
 * Creates a collector with nothing behind it, for the tests of a website: it checks and enriches messages as the real
 * one does, by the same code, and keeps them in memory, to be asked for under `/micro/`. Slots are answered as a file
 * or a test says, without a decision; the page keeps its own content where neither does.
 */
export function createMicro(deps: MicroDeps): Pick<HttpServer, 'listen' | 'stop'> {
  const { writeKeys = [], maxMessages = MICRO_MAX_MESSAGES.default, maxBytes = MICRO_MAX_MB.default * MB } = deps
  const memory = createMessageMemory({ maxMessages, maxBytes })
  const answering = createAnswerSlots(deps.slots)
  return createHttpServer({
    sites: createAnySite(writeKeys),
    settings: { ...collectorSettings({}), ...deps.settings },
    log: deps.log,
    categoryOf: answering.categoryOf,
    publicFeatures: createPublicFeatures(),
    ready: () => true,
    missing: () => [],
    routes: ({ receive, metrics, refused }) =>
      writeKeyRoutes({
        receive,
        store: createStoreBatch(memory.publisher, PARTITIONS, metrics, { of: () => deps.plan }),
        decide: answering.decide,
        metrics,
        refused,
      }),
    mounted: () => [{ path: '/micro', router: microRoutes(memory, answering), described: MICRO_PATHS }],
    onFailure(route, error) {
      if (!(error instanceof Failure) || !route.startsWith('/v1/')) return
      memory.refused({ receivedAt: new Date().toISOString(), route, code: error.code, reason: error.message })
    },
    demoDir: '',
    sdkFile: deps.sdkFile,
  })
}
