import { isoTime, learningRecordId, parseLearningEnvelope } from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from './row.js'
import { jsonLine, partitionOfSubject, storableTime } from './text/line.js'

/** Rows of `learning_outcomes`: one per step of the envelope. What is taken away leaves the table by a deletion. */
export function learningRows(message: SourceMessage, seq: number): Row[] {
  const envelope = read(message)
  if (envelope.removal !== undefined) return []
  const { siteId, receivedAt, anonymousId, userId = '', records } = envelope
  const partition = partitionOfSubject(message.subject, 1)
  return records.map((record, index) => {
    const recordId = learningRecordId(partition, envelope, index)
    const decidedAt = storableTime(isoTime(record.at))
    return {
      line: jsonLine({
        site_id: siteId,
        record_id: recordId,
        decision_id: record.decisionId,
        slot_id: record.slotId,
        content_id: record.contentId,
        position: record.position,
        decided_at: decidedAt,
        reward: record.reward,
        previous: record.previous ?? null,
        stratum: record.stratum ?? 0,
        previous_stratum: record.previousStratum ?? 0,
        segments: record.segments ?? [],
        features: record.features ?? [],
        anonymous_id: anonymousId,
        user_id: userId,
        received_at: receivedAt,
        stream_seq: seq,
        batch_index: index,
      }),
      seq,
      index,
      key: { siteId, visitor: '', id: recordId, time: decidedAt, happened: decidedAt, receivedAt },
      source: {
        siteId,
        partition,
        receivedAt,
        messageId: recordId,
        // An imported log names none.
        ...(envelope.batch === undefined && { person: { anonymousId, userId, time: decidedAt } }),
        payload: payloadOf(message, index),
      },
    }
  })
}

const read = (message: SourceMessage) => readMessage(message, parseLearningEnvelope)
const payloadOf = (message: SourceMessage, index: number) => () => read(message).records[index]
