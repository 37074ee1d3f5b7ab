import { mergeIdOf } from '@slotstream/core'
import { isoTime, isPersonKey, parseEventEnvelope } from '@slotstream/protocol'
import { hashText } from '../../hash-text.js'
import { type Row, readMessage, type SourceMessage } from './row.js'
import { jsonLine, partitionOfSubject, storableTime } from './text/line.js'

/**
 * Rows of `identity_decisions`: one for each decision of an envelope. Of the two that tell both sides of it, the one of
 * the user is taken.
 */
export function identityDecisionRows(message: SourceMessage, seq: number): Row[] {
  const { siteId, visitorId, receivedAt, identity = [] } = readMessage(message, parseEventEnvelope)
  if (!isPersonKey(visitorId)) return []
  const partition = partitionOfSubject(message.subject, 1)
  return identity.flatMap(({ anonymousId, userId, decision }, index) => {
    if (!decision) return []
    const decidedAt = storableTime(isoTime(decision.at))
    return {
      line: jsonLine({
        site_id: siteId,
        anonymous_id: anonymousId,
        user_id: userId,
        state: decision.state,
        merge_id: mergeIdOf(siteId, anonymousId, userId, hashText),
        cause: decision.cause,
        decided_at: decidedAt,
        stream_seq: seq,
        batch_index: index,
      }),
      seq,
      index,
      source: {
        siteId,
        partition,
        receivedAt,
        messageId: null,
        person: { anonymousId, userId, time: decidedAt },
        payload: () => ({ anonymousId, userId, decision }),
      },
    }
  })
}
