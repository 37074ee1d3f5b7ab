import type { Earning, KeptDecision, KeptItem, LearningRecord } from '@slotstream/protocol'
import { countTaught, type Taught } from './bounds/taught.js'
import { type Credit, creditItems, isEntered } from './credit.js'
import { type Arrivals, MAX_RETELLS, strataOf } from './losses/arrivals.js'

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
 * `MAX_TAUGHT` outcomes are told, and what comes of these later. An outcome that has earned something is told once more
 * when its browser turns out to lose more or less, but not for ever; what a server of the site told of is not lost.
 *
 * @param earningsBefore those of the visitor's message before, see `creditItems`
 */
export function tellRecords(
  decisions: readonly KeptDecision[],
  earnings: readonly Earning[],
  before: Taught,
  arrivals: Arrivals,
  earningsBefore?: readonly Earning[],
): TellOutcome {
  const taught = countTaught(before)
  const credited = creditItems(decisions, earnings, earningsBefore)
  const records: LearningRecord[] = []
  const stratumSince = strataOf(arrivals)

  function tell(decision: KeptDecision, item: KeptItem): KeptItem {
    if (!isEntered(decision, item) || records.length >= MAX_RECORDS) return item
    const { reward, isSecret } = credited.get(item) ?? NO_CREDIT
    const stratum = (reward !== 0 && !isSecret && stratumSince(decision)) || undefined
    const { retells = 0 } = item
    if (reward === item.reward && (stratum === item.stratum || retells >= MAX_RETELLS)) return item
    if (item.reward === undefined && !taught.take(decision)) return item
    records.push(recordOf(decision, item, reward, stratum))
    const { stratum: _before, ...others } = item
    return {
      ...{ ...others, reward },
      ...(stratum !== undefined && { stratum }),
      ...(reward === item.reward && { retells: retells + 1 }),
    }
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

const NO_CREDIT: Credit = { reward: 0, isSecret: false }

function recordOf(
  { decisionId, slotId, at, segments }: KeptDecision,
  { contentId, position, features, reward: previous, stratum: previousStratum }: KeptItem,
  reward: number,
  stratum: number | undefined,
): LearningRecord {
  return {
    decisionId,
    slotId,
    contentId,
    position,
    at,
    reward,
    ...(previous !== undefined && { previous }),
    ...(stratum !== undefined && { stratum }),
    ...(previousStratum !== undefined && { previousStratum }),
    ...(segments && { segments }),
    ...(features && { features }),
  }
}
