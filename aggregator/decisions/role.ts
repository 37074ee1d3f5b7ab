import { headers, type Msg, type Subscription } from '@nats-io/transport-node'
import { type DecideReply, decideSubject } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  skipEntry,
  watchBucket,
} from '@slotstream/runtime'
import type { Profiles } from '../profiles/role.js'
import { createCatalog } from './catalog.js'
import { createDecider } from './decider.js'
import { parseRequest } from './parse-request.js'

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

  const decide = createDecider({ publisher, profiles, catalog, log, onUnrecorded: () => unrecorded.inc() })

  const serving = new Map<number, { subscription: Subscription; underWay: Set<Promise<void>> }>()
  profiles.onServing((partition, serves) => (serves ? begin(partition) : end(partition)))

  /** Only the owner of a partition subscribes: without one, a request comes back to the collector at once. */
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

  /** Requests that were received before are answered. */
  async function end(partition: number): Promise<void> {
    const ending = serving.get(partition)
    if (!ending) return
    serving.delete(partition)
    await ending.subscription.drain()
    await Promise.all(ending.underWay)
  }

  async function reply(message: Msg, partition: number): Promise<void> {
    // After a pause, say, another process may have taken over, and answers.
    if (!profiles.serves(partition)) return
    const done = taken.startTimer()
    const request = parseRequest(message.data)
    if (!request) return refuse(message)
    const answered = await decide(request, partition)
    if (!answered) return
    const { decisions } = answered
    for (const { outcome } of decisions) outcomes.inc({ outcome })
    message.respond(JSON.stringify({ decisions } satisfies DecideReply))
    done()
  }

  function refuse(message: Msg): void {
    log.error({ subject: message.subject }, 'a request for decisions cannot be read')
    const reason = headers()
    reason.set('Nats-Service-Error', 'the request is not a DecideRequest')
    reason.set('Nats-Service-Error-Code', '400')
    message.respond(JSON.stringify({ decisions: [] } satisfies DecideReply), { headers: reason })
  }

  return {
    async stop() {
      watch.stop()
      await Promise.all([...serving.keys()].map(end))
      log.info('decisions are no longer made')
    },
  }
}

/** Parses JSON; text that is none becomes null, which no check of the catalog accepts. */
function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(value))
  } catch {
    return null
  }
}
