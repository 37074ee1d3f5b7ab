import { type Bots, IS_PROGRAM } from '../../bots.js'
import { type ClickHouseAddress, queryClickHouse } from '../../clickhouse-query.js'
import { inPeriod, onlySite } from '../../only-site.js'

/** Decisions whose rewards are exported. */
export interface DecisionSelection {
  slot: string
  /** Undefined: the only site with decisions of the slot. */
  site: string | undefined
  /** Times from which and before which it was decided, in milliseconds since the epoch. Default: any */
  from: number | undefined
  to: number | undefined
  /** The reward: what policies learned, by the slot's own `rewards`, or a click. */
  rewards: DecisionRewards
  /** Whether browsers count that seem to be programs. */
  bots: Bots
}

/** Ways to count what decisions earned. */
export const DECISION_REWARDS = ['slot', 'clicks'] as const
export type DecisionRewards = (typeof DECISION_REWARDS)[number]

/** Time before which and after which no decision was made, in milliseconds since the epoch: DateTime64 ends there. */
const EVER = { from: 0, to: Date.UTC(2200, 0, 1) }

/** Returns the query that docs/evaluation.md shows. */
const exportOf = ({ rewards, bots }: Pick<DecisionSelection, 'rewards' | 'bots'>) => `SELECT
    rewards.decision_id AS decision_id,
    rewards.timestamp AS timestamp,
    rewards.content_id AS content_id,
    rewards.position AS position,
    propensity,
    ${rewards === 'slot' ? 'reward' : 'toFloat64(clicked) AS reward'},
    if(abs(arraySum(c -> c.probability, candidates) - 1) < 1e-6, toJSONString(arrayMap(c -> (c.content_id, exp2(round(log2(c.probability)))), candidates)), '') AS candidates,
    toJSONString(arraySlice(content_ids, 1, rewards.position - decisions.position)) AS above,
    toJSONString(features.^affinities) AS affinities,
    ifNull(features.known.:String, '') AS known,
    ifNull(features.draw.:String, '') AS draw,
    decisions.policy_version AS policy_version
FROM slotstream.decision_rewards AS rewards
INNER JOIN
(
    SELECT site_id, decision_id, position, content_ids, candidates, features, policy_version
    FROM slotstream.decisions
    WHERE site_id = {site:String} AND slot_id = {slot:String} AND ${inPeriod('timestamp')}
) AS decisions
ON rewards.site_id = decisions.site_id AND rewards.decision_id = decisions.decision_id
WHERE rewards.site_id = {site:String} AND rewards.slot_id = {slot:String} AND rewards.outcome = 'served'
  AND ${inPeriod('rewards.timestamp')}${
    bots === 'exclude'
      ? `
  AND NOT ${IS_PROGRAM('rewards.anonymous_id')}`
      : ''
  }
ORDER BY rewards.timestamp, decision_id, position
FORMAT CSVWithNames`

/**
 * Resolves to the site whose decisions are selected.
 *
 * @throws CommandError where several have such a slot, or none
 */
export async function siteOf(
  { slot, site, from = EVER.from, to = EVER.to }: DecisionSelection,
  settings: ClickHouseAddress,
): Promise<string> {
  return site ?? (await onlySite({ slot, from, to }, settings))
}

/**
 * Reads decisions of a site and what came of them from ClickHouse, as CSV in pieces.
 *
 * @throws CommandError
 */
export async function* exportDecisions(
  { slot, site, from = EVER.from, to = EVER.to, ...counted }: DecisionSelection & { site: string },
  settings: ClickHouseAddress,
): AsyncGenerator<Uint8Array> {
  yield* queryClickHouse(exportOf(counted), { slot, site, from: String(from), to: String(to) }, settings)
}
