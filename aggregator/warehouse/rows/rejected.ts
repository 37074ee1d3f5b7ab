import type { RejectedEnvelope } from '@slotstream/protocol'
import { jsonLine, partitionOfSubject, storableTime } from './line.js'
import type { Row, SourceMessage } from './row.js'

/** Rows of `rejected_events`: one per rejected message. Not deduplicated: what is sent twice is rejected twice. */
export function rejectedRows(message: SourceMessage, seq: number): Row[] {
  const {
    siteId,
    receivedAt,
    sender = 'public',
    sentAt,
    userAgent = '',
    rejected,
  } = JSON.parse(message.text) as RejectedEnvelope
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
    source: { siteId, partition, receivedAt, messageId, payload: () => payload },
  }))
}
