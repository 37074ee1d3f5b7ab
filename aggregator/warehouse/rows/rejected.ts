import { hash } from 'node:crypto'
import { parseRejectedEnvelope, type RejectedMessage } from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from './row.js'
import { jsonLine, partitionOfSubject, storableTime } from './text/line.js'

/**
 * Code of what the profiles role finds when it applies a message: a replay finds it again, later than the broker knows.
 */
export const FOUND_BY_REPLAYS = 'profile_too_large' satisfies RejectedMessage['code']

/**
 * Rows of `rejected_events`: one per rejected message. What is sent twice is rejected twice; only what a replay finds
 * again is left out, by its time and payload.
 */
export function rejectedRows(message: SourceMessage, seq: number): Row[] {
  const {
    siteId,
    receivedAt,
    sender = 'public',
    sentAt,
    userAgent = '',
    rejected,
  } = readMessage(message, parseRejectedEnvelope)
  const partition = partitionOfSubject(message.subject, 1)
  return rejected.map(({ messageId, code, reason, path = '', schemaVersion = '', payload }, index) => ({
    line: jsonLine({
      site_id: siteId,
      received_at: receivedAt,
      reason,
      code,
      path,
      schema_version: schemaVersion,
      message_id: messageId,
      payload,
      sent_at: sentAt === undefined ? null : storableTime(sentAt),
      user_agent: userAgent,
      sender,
      stream_seq: seq,
      batch_index: index,
    }),
    seq,
    index,
    ...(code === FOUND_BY_REPLAYS && {
      key: { siteId, visitor: '', id: hash('sha256', payload), time: receivedAt, receivedAt },
    }),
    source: { siteId, partition, receivedAt, messageId, payload: () => payload },
  }))
}
