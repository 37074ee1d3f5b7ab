import type { ClickHouseClient } from '@clickhouse/client'
import { type LearningEnvelope, type LearningRecord, timeOfRow } from '@slotstream/protocol'

/** Ids in envelopes of which nothing may say whose they were. */
const NO_PERSON = { visitorId: 'rebuild', anonymousId: '' }

/** A row of `learning_outcomes`. */
interface OutcomeRow {
  site_id: string
  record_id: string
  decision_id: string
  slot_id: string
  content_id: string
  position: number
  at: string
  reward: string
  previous: string | null
  stratum: number
  previous_stratum: number
  segments: string[]
  features: string[]
  received: string
  seq: string
}

/** A message of the stream of learning records, made of its rows again. */
export interface OutcomeMessage {
  partition: number
  /** Its position among those of all streams of the kind. */
  position: number
  envelope: LearningEnvelope
  /** Ids of its records, in their order. */
  recordIds: string[]
}

/** Rows of `learning_outcomes` to read. */
export type OutcomeSelection =
  /**
   * Those within ranges of positions, both ends included, of decisions since a time, in milliseconds since the epoch.
   */
  | { within: readonly { first: number; last: number }[]; since: number }
  /** Those of an imported log, by what its parts are named by. */
  | { batch: string }

/** Reads what came of decisions, message by message in the order of the streams. */
export async function* outcomeMessages(
  clickhouse: ClickHouseClient,
  selection: OutcomeSelection,
): AsyncGenerator<OutcomeMessage> {
  const { where, params } = conditionOf(selection)
  const result = await clickhouse.query({
    query: `SELECT site_id, record_id, decision_id, slot_id, content_id, position, toUnixTimestamp64Milli(decided_at) AS at,
                   reward, previous, stratum, previous_stratum, segments, features, toString(received_at) AS received, toString(stream_seq) AS seq
            FROM slotstream.learning_outcomes
            WHERE ${where}
            ORDER BY stream_seq, batch_index
            SETTINGS max_bytes_before_external_sort = 268435456, output_format_json_quote_64bit_integers = 1`,
    query_params: params,
    format: 'JSONEachRow',
  })
  let message: OutcomeMessage | undefined
  for await (const rows of result.stream<OutcomeRow>())
    for (const each of rows) {
      const row = each.json()
      const position = Number(row.seq)
      if (message && message.position !== position) {
        yield message
        message = undefined
      }
      message ??= beginOf(row, position)
      message.envelope.records.push(recordOf(row))
      message.recordIds.push(row.record_id)
    }
  if (message) yield message
}

function conditionOf(selection: OutcomeSelection): { where: string; params: Record<string, unknown> } {
  if ('batch' in selection)
    return { where: 'startsWith(record_id, {prefix:String})', params: { prefix: `${selection.batch}-` } }
  const { within, since } = selection
  const ranges = within.map((_, i) => `stream_seq BETWEEN {first${i}:UInt64} AND {last${i}:UInt64}`)
  const ends = within.flatMap(({ first, last }, i) => [
    [`first${i}`, first],
    [`last${i}`, last],
  ])
  const where = `(${ranges.join(' OR ') || 'false'}) AND decided_at >= fromUnixTimestamp64Milli({since:Int64})`
  return { where, params: { ...Object.fromEntries(ends), since } }
}

function beginOf({ site_id: siteId, record_id: recordId, received }: OutcomeRow, position: number): OutcomeMessage {
  const receivedAt = timeOfRow(received)
  // `<partition>.<seq>.<number>`, or that of a part of an imported log.
  const [, partition, seq] = /^(\d+)\.(\d+)\.\d+$/.exec(recordId) ?? []
  const batch = seq === undefined ? { batch: recordId.slice(0, recordId.lastIndexOf('.')) } : {}
  const envelope = { siteId, ...NO_PERSON, receivedAt, seq: Number(seq ?? 0), stored: 0, ...batch, records: [] }
  return { partition: Number(partition ?? 0), position, envelope, recordIds: [] }
}

function recordOf(row: OutcomeRow): LearningRecord {
  const features = row.features.map(Number)
  return {
    decisionId: row.decision_id,
    slotId: row.slot_id,
    contentId: row.content_id,
    position: row.position,
    at: Number(row.at),
    reward: Number(row.reward),
    ...(row.previous !== null && { previous: Number(row.previous) }),
    ...(row.stratum > 0 && { stratum: row.stratum }),
    ...(row.previous_stratum > 0 && { previousStratum: row.previous_stratum }),
    ...(row.segments.length > 0 && { segments: row.segments }),
    ...(features.length > 0 && { features }),
  }
}
