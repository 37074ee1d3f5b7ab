import type { RejectedEnvelope } from '@slotstream/protocol'
import { jsonLine, partitionOfSubject } from './line.js'
import type { Row, SourceMessage } from './row.js'

/** Rows of `rejected_events`: one per rejected message. Not deduplicated: what is sent twice is rejected twice. */
export function rejectedRows(message: SourceMessage, seq: number): Row[] {
  const { siteId, receivedAt, rejected } = JSON.parse(message.text) as RejectedEnvelope
  const partition = partitionOfSubject(message.subject, 1)
  return rejected.map(({ messageId, code, reason, payload }, index) => ({
    line: jsonLine({
      site_id: siteId,
      received_at: receivedAt,
      reason,
      code,
      message_id: messageId,
      payload,
      stream_seq: seq,
      batch_index: index,
    }),
    seq,
    index,
    source: { siteId, partition, receivedAt, messageId, payload },
  }))
}
