import { LOSS_STRATA, MAX_REWARD } from '@slotstream/core'
import type { Metric, ResultsRequest } from '@slotstream/protocol'
import { metricDetails, unitKeySql, visitorKeySql } from '@slotstream/protocol'
import { jsonColumn } from '../clickhouse/json-column.js'
import { programsSql } from '../clickhouse/programs.js'

/** Events that answer a decision: they count for the slot that made it. */
const ANSWERS = ['Slot Clicked', 'Slot Viewed']

/** Queries of results, and the values of their parameters. */
export interface ResultsSql {
  /** Query by arm and shares: persons, decisions, and the sums and squares of each metric. */
  arms: string
  /**
   * Query by arm and stratum of losses: of each person, the share of the messages that is missing, and the sums of each
   * metric.
   */
  loss: string
  /** By content, the most shown first: of each person who was shown it, the share of the messages that is missing. */
  contents: string
  /** Draws, as they were recorded. */
  draws: string
  params: Record<string, unknown>
}

/** Contents of which it is asked whether as much of them gets lost, at most: those most shown. */
const MAX_CONTENTS = 50

/** Draws that are audited, at most: the latest. */
const MAX_DRAWS = 50_000

/**
 * Writes the queries of results. What a metric says is in parameters, but for the path of an amount.
 *
 * @param includesBots whether browsers count that seem to be programs. Default: no
 * @throws RangeError where a metric sums up what no message has
 */
export function resultsSql(request: ResultsRequest, includesBots = false): ResultsSql {
  const { siteId, slotId, from, to, experiment } = request
  const { metrics, compared, arm } = comparisonOf(request)
  const period = `timestamp >= parseDateTime64BestEffort({from: String}, 3, 'UTC') AND timestamp < parseDateTime64BestEffort({to: String}, 3, 'UTC')`
  const decided = `site_id = {site: String} AND slot_id = {slot: String} AND ${period}`
  const browsers = `anonymous_id IN (SELECT anonymous_id FROM slotstream.decisions WHERE ${decided})`
  const counted = includesBots
    ? compared
    : `${compared} AND (anonymous_id = '' OR anonymous_id NOT IN ${programsSql(`${period} AND ${browsers}`)})`
  const exposed = `SELECT
    ${unitKeySql()} AS unit,
    argMin(${arm}, timestamp) AS unit_arm, argMin(arm_shares, timestamp) AS shares, min(timestamp) AS since, count() AS decided,
    groupUniqArray(${visitorKeySql()}) AS visitors
  FROM slotstream.decisions
  WHERE ${decided} AND ${counted}
  GROUP BY unit`
  const details = metrics.map(metric => metricDetails(metric as Metric))
  const earned = details.map(({ event, value, windowHours, from: senders }, index) => {
    // In the sums, and not in a WHERE: a person whose messages all came before the first decision counts, with nothing.
    const condition = [
      `event = {event${index}: String}`,
      'at >= since',
      ...(ANSWERS.includes(event) ? ['is_of_slot'] : []),
      ...(senders === 'secret' ? ['is_secret'] : []),
      ...(windowHours === undefined ? [] : [`at < since + toIntervalHour({window${index}: UInt32})`]),
    ].join(' AND ')
    return value === undefined
      ? `maxIf(1, ${condition}) AS earned${index}`
      : `${bounded(`sumIf(amounts[${index + 1}], ${condition})`)} AS earned${index}`
  })
  const amounts = details.map(({ value }) => (value === undefined ? '0' : amountOf(value)))
  const events = `SELECT
    ${visitorKeySql()} AS visitor, event, timestamp AS at, sender = 'secret' AS is_secret,
    decision_id IN (SELECT decision_id FROM slotstream.decisions WHERE ${decided}) AS is_of_slot,
    [${amounts.map(amount => `toFloat64(${amount})`).join(', ')}] AS amounts
  FROM slotstream.events
  WHERE site_id = {site: String} AND type = 'track' AND NOT (sender = 'unsigned' AND anonymous_id = '') AND event IN (${details.map((_, index) => `{event${index}: String}`).join(', ')})
    AND ${period}`
  const sums = details.map(
    (_, index) =>
      `sum(toFloat64(earned${index})) AS sum${index}, sum(toFloat64(earned${index}) * earned${index}) AS squares${index}`,
  )
  const persons = `SELECT unit, any(unit_arm) AS unit_arm, any(shares) AS unit_shares, any(since) AS unit_since, any(decided) AS unit_decided,
    ${earned.join(', ')}
  FROM
  (
    SELECT exposed.*, events.event AS event, events.at AS at, events.is_of_slot AS is_of_slot, events.is_secret AS is_secret, events.amounts AS amounts
    FROM (SELECT *, arrayJoin(visitors) AS visitor FROM (${exposed})) AS exposed
    LEFT JOIN (${events}) AS events ON exposed.visitor = events.visitor
  )
  GROUP BY unit`
  const ledger = `SELECT unit, least(1, sum(lost_messages) / greatest(sum(all_messages), 1)) AS lost
  FROM (SELECT unit, arrayJoin(visitors) AS visitor FROM (${exposed})) AS exposed
  INNER JOIN
  (
    SELECT ${visitorKeySql('anonymous_id', "''")} AS visitor, toFloat64(least(missing, captured)) AS lost_messages, toFloat64(captured) AS all_messages
    FROM slotstream.delivery WHERE site_id = {site: String}
  ) AS delivery
  ON exposed.visitor = delivery.visitor
  GROUP BY unit`
  const stratum = `multiIf(${LOSS_STRATA.map((limit, index) => `lost <= ${limit}, ${index}`).join(', ')}, ${LOSS_STRATA.length})`
  return {
    arms: `SELECT unit_arm, unit_shares, count() AS units, sum(unit_decided) AS decisions, min(unit_since) AS first_at, ${sums.join(', ')}
FROM
(
  ${persons}
)
GROUP BY unit_arm, unit_shares
ORDER BY first_at`,
    loss: `SELECT persons.unit_arm AS unit_arm, ${stratum} AS stratum, count() AS units, sum(lost) AS sum, sum(lost * lost) AS squares, ${sums.join(', ')}
FROM (${persons}) AS persons
INNER JOIN
(
  ${ledger}
) AS ledger
ON persons.unit = ledger.unit
GROUP BY unit_arm, stratum`,
    contents: `SELECT content, count() AS units, sum(lost) AS sum, sum(lost * lost) AS squares
FROM
(
  SELECT DISTINCT ${unitKeySql()} AS unit, arrayJoin(content_ids) AS content FROM slotstream.decisions
  WHERE ${decided} AND ${counted} AND outcome = 'served'
) AS shown
INNER JOIN (${ledger}) AS ledger ON shown.unit = ledger.unit
GROUP BY content ORDER BY units DESC, content LIMIT ${MAX_CONTENTS}`,
    draws: `SELECT policy_version AS version, toString(features.draw) AS draw
FROM slotstream.decisions
WHERE ${decided} AND ${experiment ? 'experiment = {experiment: String}' : '1'} AND isNotNull(features.draw)
ORDER BY timestamp DESC LIMIT ${MAX_DRAWS}`,
    params: {
      site: siteId,
      slot: slotId,
      from,
      to,
      ...(experiment && { experiment: experiment.id }),
      ...Object.fromEntries(details.map(({ event }, index) => [`event${index}`, event])),
      ...Object.fromEntries(
        details.flatMap(({ windowHours }, index) =>
          windowHours === undefined ? [] : [[`window${index}`, windowHours]],
        ),
      ),
    },
  }
}

/** Returns what is counted, of which decisions, and who is compared with whom. */
function comparisonOf({ experiment, traffic }: ResultsRequest): { metrics: Metric[]; compared: string; arm: string } {
  if (traffic !== undefined) return { metrics: [traffic], compared: "outcome = 'served'", arm: "'all'" }
  if (experiment)
    return {
      metrics: [...experiment.metrics, ...(experiment.guardrails ?? [])],
      compared: "experiment = {experiment: String} AND arm != '' AND NOT holdout",
      arm: 'arm',
    }
  return {
    metrics: ['Slot Clicked'],
    compared: "experiment = '' AND (outcome = 'served' OR (holdout AND notEmpty(ghost)))",
    arm: "if(holdout, 'holdout', 'shown')",
  }
}

/** Writes the amount of a message: 0 where it is no number. */
function amountOf(path: string): string {
  const amount = `toFloat64OrNull(toString(${jsonColumn(path)}))`
  return bounded(`if(isFinite(ifNull(${amount}, nan)), assumeNotNull(${amount}), 0)`)
}

/**
 * Cuts an amount to what rewards may be. Of one message, and of all that a person earned: no message of a page decides
 * what becomes of an experiment.
 */
function bounded(amount: string): string {
  return `greatest(-${MAX_REWARD}, least(${MAX_REWARD}, ${amount}))`
}
