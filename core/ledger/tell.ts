import type { Earning, KeptDecision, KeptItem, LearningRecord } from '@slotstream/protocol'
import { countTaught, type Taught } from './bounds/taught.js'
import { creditItems, isEntered } from './credit.js'

/**
 * Records that one stream message makes at most, so that its envelope can be published. The next one makes the others.
 */
export const MAX_RECORDS = 500

/** Decisions as policies know them now, and the steps that they have to learn. */
export interface TellOutcome {
  decisions: readonly KeptDecision[]
  records: LearningRecord[]
  /** Outcomes that the visitor has taught by now. */
  taught: Taught
}

/**
 * Returns the steps between what policies know of the decisions and what came of them. Of each slot and day the first
 * `MAX_TAUGHT` outcomes are told, and what comes of these later.
 *
 * @param earningsBefore those of the visitor's message before, see `creditItems`
 */
export function tellRecords(
  decisions: readonly KeptDecision[],
  earnings: readonly Earning[],
  before: Taught,
  earningsBefore?: readonly Earning[],
): TellOutcome {
  const taught = countTaught(before)
  const credited = creditItems(decisions, earnings, earningsBefore)
  const records: LearningRecord[] = []

  function tell(decision: KeptDecision, item: KeptItem): KeptItem {
    const reward = credited.get(item) ?? 0
    if (!isEntered(decision, item) || reward === item.reward || records.length >= MAX_RECORDS) return item
    if (item.reward === undefined && !taught.take(decision)) return item
    records.push(recordOf(decision, item, reward))
    return { ...item, reward }
  }

  const after = decisions.map(decision => {
    if (decision.isOnlyCounted) return decision
    const items = decision.items.map(item => tell(decision, item))
    return items.every((item, index) => item === decision.items[index]) ? decision : { ...decision, items }
  })
  return records.length > 0
    ? { decisions: after, records, taught: taught.all() }
    : { decisions, records, taught: before }
}

function recordOf(
  { decisionId, slotId, at, segments }: KeptDecision,
  { contentId, position, features, reward: previous }: KeptItem,
  reward: number,
): LearningRecord {
  return {
    decisionId,
    slotId,
    contentId,
    position,
    at,
    reward,
    ...(previous !== undefined && { previous }),
    ...(segments && { segments }),
    ...(features && { features }),
  }
}
