import { withDetails } from '@slotstream/core'
import { DEFAULT_ATTRIBUTION, type DecisionRecord, type JsonObject, parseDecisionEnvelope } from '@slotstream/protocol'
import { type Row, readMessage, type SourceMessage } from './row.js'
import { jsonLine, partitionOfSubject, storableTime } from './text/line.js'

/** Rows of `decisions`: one per decision of the envelope. */
export function decisionRows(message: SourceMessage, seq: number): Row[] {
  const { siteId, receivedAt, decisions } = read(message)
  const partition = partitionOfSubject(message.subject, 1)
  return decisions.map((decision, index) => {
    const timestamp = storableTime(decision.timestamp)
    const { attribution = DEFAULT_ATTRIBUTION } = decision
    return {
      line: jsonLine({
        site_id: siteId,
        decision_id: decision.decisionId,
        timestamp,
        slot_id: decision.slotId,
        anonymous_id: decision.anonymousId,
        user_id: decision.userId ?? '',
        session_id: decision.sessionId ?? '',
        page_view_id: decision.pageViewId ?? '',
        policy: decision.policy,
        policy_version: decision.policyVersion,
        content_ids: decision.contentIds,
        propensities: decision.propensities,
        position: decision.position,
        candidates: decision.candidates.map(({ contentId, score, probability }) => ({
          content_id: contentId,
          score,
          probability,
        })),
        excluded: decision.excluded.map(({ contentId, reason }) => ({ content_id: contentId, reason })),
        outcome: decision.outcome,
        holdout: decision.holdout,
        experiment: decision.experiment ?? '',
        arm: decision.arm ?? '',
        arm_shares: decision.armShares ?? [],
        person: decision.personId ?? '',
        ghost: decision.ghost ?? [],
        attribution_rule: attribution.rule,
        attribution_hours: attribution.windowHours,
        features: featuresOf(decision),
        seed: decision.seed,
        received_at: receivedAt,
        stream_seq: seq,
        batch_index: index,
      }),
      seq,
      index,
      // The server's own clock set the time of a live decision; an imported one is old, and looked up for that.
      key: { siteId, visitor: '', id: decision.decisionId, time: timestamp, happened: timestamp, receivedAt },
      source: {
        siteId,
        partition,
        receivedAt,
        messageId: decision.decisionId,
        person: { anonymousId: decision.anonymousId, userId: decision.userId, time: timestamp },
        payload: payloadOf(message, index),
      },
    }
  })
}

const read = (message: SourceMessage) => readMessage(message, parseDecisionEnvelope)
const payloadOf = (message: SourceMessage, index: number) => () => read(message).decisions[index]

/**
 * Returns the facts that the policy read, with those recorded beside them. The draw is text: its numbers must stay as
 * they are.
 */
function featuresOf(record: DecisionRecord): JsonObject {
  const { features, draw, model, itemsAsOf, known: facts, campaigns, arms, latencyMs } = record
  const details = withDetails(record).flatMap(({ contentId, detail }) =>
    detail === undefined ? [] : [[contentId, detail]],
  )
  return {
    ...features,
    ...(draw && { draw: JSON.stringify(draw) }),
    // Text as well: content ids must not become paths of the column, nor what visitors send values of the list of
    // reasons.
    ...(details.length > 0 && { missed: JSON.stringify(details) }),
    ...(facts && { known: JSON.stringify(facts) }),
    ...(model && { model: { ...model } }),
    ...(itemsAsOf !== undefined && { itemsAsOf }),
    ...(campaigns && { campaigns }),
    ...(arms && { arms }),
    ...(latencyMs !== undefined && { latencyMs }),
  }
}
