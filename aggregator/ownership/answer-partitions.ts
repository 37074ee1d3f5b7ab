import { headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import type { Log } from '@slotstream/runtime'

/** The requests of partitions, answered by the process that serves each. */
export interface PartitionAnswers {
  /** Begins to answer for a partition, or ends: what was received before is answered, then the promise resolves. */
  set(partition: number, isServing: boolean): Promise<void>
  /** Ends for all partitions. */
  stop(): Promise<void>
}

export interface PartitionAnswersDeps {
  nats: { connection: Pick<NatsConnection, 'subscribe' | 'isClosed'> }
  /** Returns the subject of a partition's requests. */
  subjectOf: (partition: number) => string
  /** Answers a request; without an answer the asker waits until its time is over. */
  answer: (message: Msg, partition: number) => Promise<void>
  /** The kind of request, for the log: `requests for decisions`. */
  kind: string
  log: Log
}

/**
 * Creates the answers to the requests of partitions. Only the process that serves a partition subscribes to its
 * subject: while none does, NATS returns a request to its sender at once.
 */
export function answerPartitions({ nats, subjectOf, answer, kind, log }: PartitionAnswersDeps): PartitionAnswers {
  const serving = new Map<number, { subscription: Subscription; underWay: Set<Promise<void>> }>()

  function begin(partition: number): void {
    if (serving.has(partition)) return
    const underWay = new Set<Promise<void>>()
    const subscription = nats.connection.subscribe(subjectOf(partition), {
      callback: (error, message) => {
        if (error) return log.error({ err: error }, `no ${kind} can be received`)
        const replying = answer(message, partition)
          .catch(failure => log.error({ err: failure }, `one of the ${kind} failed`))
          .finally(() => underWay.delete(replying))
        underWay.add(replying)
      },
    })
    serving.set(partition, { subscription, underWay })
  }

  async function end(partition: number): Promise<void> {
    const ending = serving.get(partition)
    if (!ending) return
    serving.delete(partition)
    // A connection that is closed has ended the subscription.
    if (!nats.connection.isClosed()) await ending.subscription.drain()
    await Promise.all(ending.underWay)
  }

  return {
    async set(partition, isServing) {
      if (isServing) begin(partition)
      else await end(partition)
    },
    async stop() {
      await Promise.all([...serving.keys()].map(end))
    },
  }
}

/**
 * Answers a request that cannot be answered, with the headers of a NATS service error.
 *
 * @param code an HTTP status
 * @param reply the empty reply, for askers that do not look at headers
 */
export function respondWithError(message: Msg, code: number, reason: string, reply: object): void {
  const errorHeaders = headers()
  errorHeaders.set('Nats-Service-Error', reason)
  errorHeaders.set('Nats-Service-Error-Code', String(code))
  message.respond(JSON.stringify(reply), { headers: errorHeaders })
}
