import type { Msg } from '@nats-io/transport-node'
import { type DecideReply, decideSubject, parseJson } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  skipEntry,
  watchBucket,
} from '@slotstream/runtime'
import { answerPartitions, respondWithError } from '../ownership/answer-partitions.js'
import type { Profiles } from '../profiles/role.js'
import { createCatalog } from './catalog.js'
import { costOf } from './cost.js'
import { createDecider } from './decider.js'
import { type Models, NO_MODELS } from './models.js'
import { parseRequest } from './parse-request.js'
import { watchExperiments } from './watch-experiments.js'
import { watchHoldouts } from './watch-holdouts.js'

/** The decisions role: answers requests for slots. */
export interface Decisions {
  /** Answers the requests that have arrived, then ends. */
  stop(): Promise<void>
}

/**
 * Starts the decisions role for the partitions whose profiles this process serves: it answers each `DecideRequest` with
 * a `DecideReply`. Anything else is answered with no decisions and the headers of a NATS service error.
 */
export async function startDecisions({
  nats,
  publisher,
  installation,
  profiles,
  models = NO_MODELS,
  metrics,
  log,
}: {
  nats: Nats
  publisher: Publisher
  installation: Installation
  profiles: Pick<
    Profiles,
    'profileOf' | 'personOf' | 'definitionsOf' | 'waitFor' | 'ageMs' | 'serves' | 'holds' | 'onServing'
  >
  /** Models of slots. Default: nothing was learned */
  models?: Models
  metrics: Metrics
  log: Log
}): Promise<Decisions> {
  const outcomes = metrics.counter('decisions_total', 'Decisions, by outcome', ['outcome'])
  const unrecorded = metrics.counter('decisions_unrecorded_total', 'Requests whose decisions could not be recorded')
  const durations = metrics.seconds('decisions_seconds', 'Time from request to reply')

  const refused = metrics.counter('catalog_refused_total', 'Entries of the catalog that could not be used')
  const broken = metrics.counter(
    'catalog_broken_conditions_total',
    'Conditions of slots and content that do not compile',
  )

  const catalog = createCatalog((siteId, slotId, faults) => {
    broken.inc(faults.length)
    log.warn({ siteId, slotId, faults: faults.slice(0, MOST_FAULTS) }, 'content is left out: its condition is broken')
  })
  const watch = await watchBucket(
    nats,
    installation.buckets.catalog,
    entry => {
      const wrong = catalog.set(entry.key, entry.operation === 'PUT' ? (parseJson(entry.string()) ?? null) : undefined)
      if (!wrong) return
      refused.inc()
      skipEntry(log, 'catalog', { key: entry.key }, wrong)
    },
    log,
  )

  const experiments = await watchExperiments(nats, installation.buckets.definitions, catalog, log)
  const holdouts = await watchHoldouts(nats, installation.buckets.sites, catalog, log)

  const decide = createDecider({ publisher, profiles, catalog, models, log, onUnrecorded: () => unrecorded.inc() })

  const answers = answerPartitions({
    nats,
    subjectOf: decideSubject,
    answer: reply,
    kind: 'requests for decisions',
    log,
  })
  profiles.onServing(answers.set)

  async function reply(message: Msg, partition: number): Promise<void> {
    // If this process was paused, another one may have taken over, and answers.
    if (!profiles.serves(partition)) return
    const done = durations.startTimer()
    const request = parseRequest(message.data)
    if (!request) return refuse(message)
    const answered = await decide(request, partition)
    if (!answered) return
    const { decisions } = answered
    for (const { outcome } of decisions) outcomes.inc({ outcome })
    message.respond(JSON.stringify({ decisions, cost: costOf(answered) } satisfies DecideReply))
    done()
  }

  function refuse(message: Msg): void {
    log.error({ subject: message.subject }, 'a request for decisions cannot be read')
    respondWithError(message, 400, 'the request is not a DecideRequest', { decisions: [] } satisfies DecideReply)
  }

  return {
    async stop() {
      watch.stop()
      experiments.stop()
      holdouts.stop()
      await answers.stop()
      log.info('decisions are no longer made')
    },
  }
}

/** Faults of conditions that a warning names, at most. */
const MOST_FAULTS = 5
