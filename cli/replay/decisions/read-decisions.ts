import { RECORD_COLUMNS, type RecordRow, type ReplayedDecision, recordOfRow } from '@slotstream/core'
import type { DecisionRecord } from '@slotstream/protocol'
import { IS_PROGRAM } from '../../bots.js'
import { type ClickHouseAddress, linesOf } from '../../clickhouse-query.js'
import { inPeriod } from '../../only-site.js'

/**
 * Decisions that are replayed: of a site, and of one of its slots or all, from the first time on until before the
 * second.
 */
export interface ReplayedPeriod {
  site: string
  slot: string | undefined
  /** Milliseconds since the epoch. */
  from: number
  to: number
}

/** A recorded decision with what came of it. */
export interface StoredDecision extends ReplayedDecision {
  record: DecisionRecord
  /** Whether the browser seems to be a program; false where that was not asked for. */
  isProgram: boolean
}

/** Numbers as they were stored, and tuples as objects. */
const AS_RECORDED = {
  output_format_json_quote_64bit_integers: '0',
  output_format_json_named_tuples_as_objects: '1',
  output_format_json_quote_denormals: '1',
}

/** Each decision once, as it was first stored: what is sent again later is the same, or an import of another log. */
const DECISIONS = (
  ofSlot: string,
  findsPrograms: boolean,
) => `SELECT ${RECORD_COLUMNS.map(column => `decisions.${column} AS ${column}`).join(', ')}, earnings.earned AS rewards,
    ${findsPrograms ? IS_PROGRAM('decisions.anonymous_id') : 'false'} AS is_program
FROM
(
    SELECT ${RECORD_COLUMNS.join(', ')}
    FROM slotstream.decisions
    WHERE site_id = {site:String} AND ${inPeriod('timestamp')}${ofSlot}
    ORDER BY timestamp, decision_id, stream_seq, batch_index
    LIMIT 1 BY timestamp, decision_id
) AS decisions
LEFT ANY JOIN
(
    SELECT decision_id AS earned_by, arrayMap(row -> row.2, arraySort(groupArray((position, reward)))) AS earned
    FROM slotstream.decision_rewards
    WHERE site_id = {site:String} AND outcome = 'served' AND ${inPeriod('timestamp')}${ofSlot}
    GROUP BY decision_id
) AS earnings
ON decisions.decision_id = earnings.earned_by
ORDER BY timestamp, decision_id
FORMAT JSONEachRow`

/**
 * Reads the decisions of a period, in the order of time, with what came of them.
 *
 * @param findsPrograms whether it is asked which browsers seem to be programs
 * @throws CommandError
 */
export async function* readDecisions(
  { site, slot, from, to }: ReplayedPeriod,
  clickhouse: ClickHouseAddress,
  findsPrograms: boolean,
): AsyncGenerator<StoredDecision> {
  const params = { site, from: String(from), to: String(to), ...(slot !== undefined && { slot }) }
  const query = DECISIONS(slot === undefined ? '' : ' AND slot_id = {slot:String}', findsPrograms)
  for await (const line of linesOf(query, params, clickhouse, AS_RECORDED)) {
    const { rewards, is_program, ...row } = JSON.parse(line) as RecordRow & {
      rewards: number[]
      is_program: 0 | 1 | boolean
    }
    yield { record: recordOfRow(row), rewards, isProgram: Boolean(is_program) }
  }
}
