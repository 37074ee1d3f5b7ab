import {
  type DecisionRecord,
  RECORD_SUBJECT,
  type RecordReply,
  type RecordRequest,
  timeOfUuidv7,
} from '@slotstream/protocol'
import { type Nats, pause } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'

/** How long the warehouse may take, in milliseconds. */
const TIMEOUT_MS = 30_000

/** Age up to which a decision may be on its way into its table, in milliseconds. */
const LOADED_AFTER_MS = 60_000

/** Pauses between looks for a decision of just now, in milliseconds. */
const PAUSES_MS = [250, 500, 1_000, 2_000]

/**
 * Reads the record of a decision. One of just now, which may still be on its way into the table, is waited for, up to
 * four seconds.
 *
 * @throws Failure `not_found` when the site has no decision of that id; `unavailable` when no warehouse answers
 */
export type ReadRecord = (request: RecordRequest) => Promise<DecisionRecord>

/** Creates the function that asks a process with the role warehouse. */
export function createReadRecord({ connection }: Pick<Nats, 'connection'>, timeoutMs = TIMEOUT_MS): ReadRecord {
  async function look(request: RecordRequest): Promise<DecisionRecord | undefined> {
    const answer = await connection
      .request(RECORD_SUBJECT, JSON.stringify(request), { timeout: timeoutMs })
      .catch(() => {
        throw new Failure('unavailable', 'no aggregator with the role warehouse answers: start one, and ask again')
      })
    const reply = answer.json<RecordReply>()
    if ('failed' in reply) throw new Failure('unavailable', reply.failed)
    return reply.record ?? undefined
  }

  return async request => {
    const decidedAt = timeOfUuidv7(request.decisionId)
    const isRecent = decidedAt !== undefined && Math.abs(Date.now() - decidedAt) < LOADED_AFTER_MS
    let record = await look(request)
    for (const pauseMs of isRecent ? PAUSES_MS : []) {
      if (record) break
      await pause(pauseMs)
      record = await look(request)
    }
    if (record) return record
    const { siteId } = request
    throw new Failure(
      'not_found',
      isRecent
        ? `site ${siteId} has no decision of that id in its tables: it may take some seconds until one is there, so ask again`
        : `site ${siteId} has no decision of that id: it may be another site's, or it was deleted, or its retention is over`,
    )
  }
}
