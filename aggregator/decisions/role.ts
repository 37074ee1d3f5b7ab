import { headers, type Msg, type Subscription } from '@nats-io/transport-node'
import {
  type DecideReply,
  type DecideRequest,
  type DecisionEnvelope,
  decideSubject,
  streamSubject,
} from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  skipEntry,
  watchBucket,
  within,
} from '@slotstream/runtime'
import type { Profiles } from '../profiles/role.js'
import { type Answer, answer, noAnswer } from './answer.js'
import { createCatalog } from './catalog.js'
import { parseRequest } from './parse-request.js'

/** Time that recording may take even when less of the deadline is left, in milliseconds. */
const LEAST_RECORD_MS = 20

/** Time that recording may take when nobody waits for it. */
const LATE_RECORD_MS = 2_000

/** The decisions role: answers requests for slots. */
export interface Decisions {
  /** Answers what was asked, then ends. */
  stop(): Promise<void>
}

/**
 * Starts the decisions role for the partitions whose profiles this process keeps: it answers every `DecideRequest` with
 * a `DecideReply`. What can't be read as a request is answered with no decisions and the headers of a NATS service error.
 */
export async function startDecisions({
  nats,
  publisher,
  installation,
  profiles,
  metrics,
  log,
}: {
  nats: Nats
  publisher: Publisher
  installation: Installation
  profiles: Pick<Profiles, 'profileOf' | 'waitFor' | 'serves' | 'holds' | 'onServing'>
  metrics: Metrics
  log: Log
}): Promise<Decisions> {
  const outcomes = metrics.counter('decisions_total', 'Decisions, by outcome', ['outcome'])
  const unrecorded = metrics.counter('decisions_unrecorded_total', 'Requests whose decisions could not be recorded')
  const taken = metrics.seconds('decisions_seconds', 'Time from request to reply')

  const catalog = createCatalog()
  const watch = await watchBucket(
    nats,
    installation.buckets.catalog,
    entry => {
      const wrong = catalog.set(entry.key, entry.operation === 'PUT' ? parse(entry.value) : undefined)
      if (wrong) skipEntry(log, 'catalog', { key: entry.key }, wrong)
    },
    log,
  )

  const serving = new Map<number, { subscription: Subscription; underWay: Set<Promise<void>> }>()
  profiles.onServing((partition, serves) => (serves ? begin(partition) : end(partition)))

  /** Only who keeps a partition subscribes, so a request that nobody can answer comes back to the collector at once. */
  function begin(partition: number): void {
    if (serving.has(partition)) return
    const underWay = new Set<Promise<void>>()
    const subscription = nats.connection.subscribe(decideSubject(partition), {
      callback: (error, message) => {
        if (error) return log.error({ err: error }, 'no requests for decisions can be received')
        const replying = reply(message, partition)
          .catch(failure => log.error({ err: failure }, 'a request for decisions failed'))
          .finally(() => underWay.delete(replying))
        underWay.add(replying)
      },
    })
    serving.set(partition, { subscription, underWay })
  }

  /** What was asked before is answered. */
  async function end(partition: number): Promise<void> {
    const ending = serving.get(partition)
    if (!ending) return
    serving.delete(partition)
    await ending.subscription.drain()
    await Promise.all(ending.underWay)
  }

  async function reply(message: Msg, partition: number): Promise<void> {
    // After a pause, say, in which somebody else took over, who answers it.
    if (!profiles.serves(partition)) return
    const done = taken.startTimer()
    const request = parseRequest(message.data)
    if (!request) return refuse(message)
    const answered = await answerInTime(request, partition)
    if (!answered) return
    const { decisions } = answered
    for (const { outcome } of decisions) outcomes.inc({ outcome })
    message.respond(JSON.stringify({ decisions } satisfies DecideReply))
    done()
  }

  /** Undefined when somebody else answers for the partition by now. */
  async function answerInTime(request: DecideRequest, partition: number): Promise<Answer | undefined> {
    const deadline = performance.now() + request.deadlineMs
    const left = () => deadline - performance.now()
    const inTime = await profiles.waitFor(partition, request.after, left())
    const profile = inTime && (await within(left(), profiles.profileOf(request.siteId, request.visitorId)))
    if (!profiles.holds(partition)) return undefined
    if (!profile) {
      const late = noAnswer(request, 'timeout', catalog, Date.now())
      // Nothing is shown, so the page needn't wait until it is recorded.
      record(request, partition, late, LATE_RECORD_MS).catch(countUnrecorded)
      return late
    }
    const decided = answer(request, profile.value, catalog, Date.now())
    try {
      await record(request, partition, decided, Math.max(LEAST_RECORD_MS, left()))
      return decided
    } catch (error) {
      // It may have been stored without our knowing. Then the record says what would have been shown, and no
      // impression follows: better than showing what nobody recorded.
      countUnrecorded(error)
      return noAnswer(request, 'unavailable', catalog, Date.now())
    }
  }

  async function record(request: DecideRequest, partition: number, { records }: Answer, timeout: number) {
    const { siteId, visitorId } = request
    const receivedAt = new Date().toISOString()
    const envelope: DecisionEnvelope = { siteId, visitorId, receivedAt, decisions: records }
    const stored = await within(
      timeout,
      publisher.publish(streamSubject('decisions', partition), JSON.stringify(envelope), records[0]?.decisionId),
    )
    if (!stored) throw new Error(`JetStream did not acknowledge within ${Math.round(timeout)} ms`)
  }

  function countUnrecorded(error: unknown): void {
    unrecorded.inc()
    log.warn({ err: error }, 'decisions could not be recorded, and so were not served')
  }

  function refuse(message: Msg): void {
    log.error({ subject: message.subject }, 'a request for decisions can not be read')
    const reason = headers()
    reason.set('Nats-Service-Error', 'the request is not a DecideRequest')
    reason.set('Nats-Service-Error-Code', '400')
    message.respond(JSON.stringify({ decisions: [] } satisfies DecideReply), { headers: reason })
  }

  return {
    async stop() {
      watch.stop()
      await Promise.all([...serving.keys()].map(end))
      log.info('no more decisions are made')
    },
  }
}

/** What isn't JSON becomes null, which no check of the catalog accepts. */
function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value))
  } catch {
    return null
  }
}
