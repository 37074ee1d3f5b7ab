import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import type { Nats } from '../connection/nats.js'

/** Below this age, in seconds, what waits is on its way, and counting it would cost more than it tells. */
const ON_ITS_WAY_SECONDS = 1

/** How far behind a reader is that has processed everything up to `through`. */
export interface Behind {
  messages: number
  /** Age of the oldest message that is not processed, in seconds. */
  seconds: number
}

/**
 * Measures how far behind readers of one stream are.
 *
 * @param readers of each, the sequence up to which it is done, and its subject when it doesn't read the whole stream.
 *   Messages of a subject are counted when the oldest waits for a second; before that they are given as 1
 */
export async function measureLag(
  { manager, connection }: Pick<Nats, 'manager' | 'connection'>,
  stream: string,
  readers: { through: number; subject?: string }[],
): Promise<Behind[]> {
  const { first_seq, last_seq, messages } = (await manager.streams.info(stream)).state
  return Promise.all(
    readers.map(async ({ through, subject }) => {
      if (through >= last_seq || messages === 0) return { messages: 0, seconds: 0 }
      const seq = Math.max(through + 1, first_seq)
      const oldest = await timeOfNext(seq, subject ?? '>')
      if (oldest === undefined) return { messages: 0, seconds: 0 }
      const seconds = Math.max(0, Date.now() - oldest) / 1000
      if (!subject) return { messages: Math.min(messages, last_seq - seq + 1), seconds }
      return { messages: seconds < ON_ITS_WAY_SECONDS ? 1 : await count(stream, subject, seq), seconds }
    }),
  )

  /**
   * Resolves to the time of the first message from `seq` on, in milliseconds. The client knows this request for direct
   * reads only.
   */
  async function timeOfNext(seq: number, subject: string): Promise<number | undefined> {
    const request = JSON.stringify({ seq, next_by_subj: subject })
    const answer = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, request, { timeout: 5_000 })
    const { message } = answer.json<{ message?: { time: string } }>()
    return message && Date.parse(message.time)
  }

  async function count(name: string, subject: string, from: number): Promise<number> {
    const consumer = await manager.consumers.add(name, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      filter_subject: subject,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 1_000_000_000,
    })
    await manager.consumers.delete(name, consumer.name)
    return consumer.num_pending
  }
}
