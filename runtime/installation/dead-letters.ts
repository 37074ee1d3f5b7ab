import { type DeadLetter, type DeadLetterRole, deadLetterSubject, encodePayload } from '@slotstream/protocol'
import type { Nats } from '../nats/connection/nats.js'
import type { Publisher } from '../nats/publish/publisher.js'
import type { Log } from '../process/log.js'
import type { Metrics } from '../process/metrics.js'
import { VERSION } from '../process/version.js'

/** Longest error kept, in characters: parsers repeat the data in theirs. */
const MAX_ERROR = 2_000

/**
 * Makes the function that keeps a message of a stream as a dead letter. It resolves when the letter is stored, and only
 * then may the position move past the message. It throws when the broker can't be reached: call it again. Doing it
 * twice leaves one letter.
 *
 * @param role who gives up on the message
 */
export function createDeadLetters({
  nats,
  publisher,
  role,
  metrics,
  log,
}: {
  nats: Pick<Nats, 'manager'>
  publisher: Pick<Publisher, 'publish'>
  role: DeadLetterRole
  metrics: Metrics
  log: Log
}) {
  const counted = metrics.counter('dead_letters_total', 'Messages given up and kept as dead letters', ['role'])

  return async (stream: string, seq: number, error: unknown, attempts = 1): Promise<void> => {
    const message = await nats.manager.streams.getMessage(stream, { seq })
    const letter: DeadLetter = {
      role,
      stream,
      seq,
      subject: message?.subject ?? '',
      storedAt: message?.time.toISOString() ?? '',
      ...encodePayload(message?.data),
      error: String(error instanceof Error ? error.message : error).slice(0, MAX_ERROR),
      attempts,
      version: VERSION,
      failedAt: new Date().toISOString(),
    }
    const subject = deadLetterSubject(letter)
    await publisher.publish(subject, JSON.stringify(letter), subject)
    counted.inc({ role })
    log.error({ err: error, stream, seq, role }, 'a message cannot be processed, stored it as a dead letter')
  }
}

export type StoreDeadLetter = ReturnType<typeof createDeadLetters>
