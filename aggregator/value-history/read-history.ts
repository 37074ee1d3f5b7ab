import type { ClickHouseClient } from '@clickhouse/client'
import { featureAlone } from '@slotstream/core'
import type { ValueChange, ValueHistory, ValueHistoryRequest } from '@slotstream/protocol'
import { createSlices } from '@slotstream/runtime'
import { EVENT_COLUMNS, readEventRow } from '../clickhouse/event-rows.js'
import type { CompiledDefinitions } from '../profiles/definitions/compiled-definitions.js'
import { decidedLinks } from '../profiles/links/decided-links.js'
import { type PlacedRow, traceValue } from './trace-value.js'

/** Messages of a person that are looked at: the latest ones. */
const MAX_MESSAGES = 20_000

/** Bytes of the changes of an answer at most, which is one message of NATS. */
const MAX_BYTES = 512 * 1024

export interface ReadHistoryDeps {
  clickhouse: ClickHouseClient
  definitionsOf: (siteId: string) => Pick<CompiledDefinitions, 'features'>
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Default: 20,000 */
  maxMessages?: number
}

/**
 * Finds which messages changed the value of a feature, from the rows of `events`. Nothing is kept for it.
 *
 * @returns undefined where the site has no feature of that name
 */
export async function readHistory(
  request: ValueHistoryRequest,
  { clickhouse, definitionsOf, anonymousDays, maxMessages = MAX_MESSAGES }: ReadHistoryDeps,
): Promise<ValueHistory | undefined> {
  const { siteId, userId, browsers, feature, limit } = request
  const features = featureAlone(definitionsOf(siteId).features, feature)
  const compiled = features.byName.get(feature)
  if (!compiled) return undefined
  const decided = []
  for await (const link of decidedLinks(clickhouse, siteId))
    if (browsers.includes(link.change.anonymousId)) decided.push(link.change)
  const rows = await latestRows(clickhouse, request, maxMessages + 1)
  const isCut = rows.length > maxMessages
  if (isCut) rows.shift()
  const trace = traceValue({ siteId, userId, feature, features, decided, anonymousDays })
  const slice = createSlices()
  const changes: ValueChange[] = []
  let dropped = false
  for (const row of rows) {
    const change = trace.add(row)
    if (change && changes.push(change) > limit) dropped = Boolean(changes.shift())
    await slice()
  }
  const newest = within(MAX_BYTES, changes.reverse())
  const hasMore = dropped || isCut || newest.length < changes.length
  return {
    feature,
    version: compiled.version,
    changes: newest,
    hasMore,
    ...(isCut && rows[0] && { since: rows[0].position }),
  }
}

/** Reads a person's latest rows, oldest first. */
async function latestRows(
  clickhouse: ClickHouseClient,
  { siteId, userId, browsers }: ValueHistoryRequest,
  limit: number,
): Promise<PlacedRow[]> {
  const result = await clickhouse.query({
    query: `SELECT ${EVENT_COLUMNS}, toFloat64(stream_seq) AS position FROM slotstream.events
            WHERE site_id = {site:String} AND (anonymous_id IN {browsers:Array(String)}
              OR (anonymous_id = '' AND user_id = {user:String} AND {user:String} != ''))
            ORDER BY stream_seq DESC, batch_index DESC LIMIT {limit:UInt32}
            SETTINGS max_bytes_before_external_sort = 268435456, output_format_json_quote_64bit_integers = 0`,
    query_params: { site: siteId, browsers, user: userId, limit },
    format: 'JSONEachRow',
  })
  const latest: PlacedRow[] = []
  for await (const rows of result.stream<PlacedRow>()) for (const row of rows) latest.push(readEventRow<PlacedRow>(row))
  return latest.reverse()
}

/** Returns the first changes that fit. */
function within(maxBytes: number, changes: ValueChange[]): ValueChange[] {
  let bytes = 0
  const end = changes.findIndex(change => {
    bytes += Buffer.byteLength(JSON.stringify(change)) + 1
    return bytes > maxBytes
  })
  return end < 0 ? changes : changes.slice(0, end)
}
