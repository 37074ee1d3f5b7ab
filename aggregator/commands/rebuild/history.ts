import type { ClickHouseClient } from '@clickhouse/client'
import { applyEnvelope } from '@slotstream/core'
import {
  type EventEnvelope,
  type JsonObject,
  type Profile,
  type Sender,
  type StoredMessage,
  visitorIdOf,
  visitorKeySql,
} from '@slotstream/protocol'
import { DEFAULT_DEFINITIONS, type ReducerDefinitions } from '../../profiles/definitions/compiled-definitions.js'

/** A row of `events`, with what profiles are made of. */
export interface EventRow {
  site_id: string
  message_id: string
  type: StoredMessage['type']
  event: string
  anonymous_id: string
  user_id: string
  /** Absent: `public`. */
  sender?: Sender
  session_id: string
  timestamp: string
  received_at: string
  properties: JsonObject
  traits: JsonObject
  /** Absent: none. */
  context?: JsonObject
}

/** Positions between two others, which are left out. */
export interface Between {
  after: number
  before: number
}

/** The rows of ranges of positions, visitor by visitor, each visitor's in the order of the streams. */
export async function* eventsBetween(
  clickhouse: ClickHouseClient,
  ranges: readonly Between[],
): AsyncGenerator<EventRow> {
  const within = ranges.map((_, i) => `(stream_seq > {after${i}:UInt64} AND stream_seq < {before${i}:UInt64})`)
  const ends = ranges.flatMap(({ after, before }, i) => [
    [`after${i}`, after],
    [`before${i}`, before],
  ])
  const result = await clickhouse.query({
    query: `SELECT site_id, message_id, type, event, anonymous_id, user_id, sender, session_id, properties, traits, context,
              ${isoText('timestamp')} AS timestamp, ${isoText('received_at')} AS received_at
            FROM slotstream.events WHERE ${within.join(' OR ') || 'false'}
            ORDER BY site_id, ${visitorKeySql()}, stream_seq, batch_index
            SETTINGS max_bytes_before_external_sort = 268435456`,
    query_params: Object.fromEntries(ends),
    format: 'JSONEachRow',
  })
  for await (const rows of result.stream<EventRow>()) for (const row of rows) yield row.json()
}

/**
 * The profiles that rows of `events` give, one after the other. Pure. The table's JSON columns keep no nulls: a trait
 * that was removed by null is still there.
 *
 * @param asOf sequence that a visitor's profile is as of
 * @param anonymousDays see `applyAndDetect`
 * @param definitionsOf returns what a site declares
 */
export async function* profilesOf(
  rows: AsyncIterable<EventRow>,
  asOf: (siteId: string, visitorId: string) => number,
  anonymousDays?: number,
  definitionsOf: (siteId: string) => ReducerDefinitions = () => DEFAULT_DEFINITIONS,
): AsyncGenerator<Profile> {
  let profile: Profile | undefined
  let count = 0
  for await (const row of rows) {
    const envelope = envelopeOf(row)
    if (profile && (profile.siteId !== envelope.siteId || profile.visitorId !== envelope.visitorId)) {
      yield asKept(profile)
      profile = undefined
    }
    profile = applyEnvelope(profile, envelope, ++count, { anonymousDays, ...definitionsOf(envelope.siteId) })
  }
  if (profile) yield asKept(profile)

  function asKept(found: Profile): Profile {
    return { ...found, seq: asOf(found.siteId, found.visitorId) }
  }
}

/** SQL of a time as messages hold it. */
function isoText(column: string): string {
  return (
    `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S', 'UTC') ` +
    `|| '.' || leftPad(toString(toUnixTimestamp64Milli(${column}) % 1000), 3, '0') || 'Z'`
  )
}

function envelopeOf(row: EventRow): EventEnvelope {
  const message: StoredMessage = {
    messageId: row.message_id,
    type: row.type,
    timestamp: row.timestamp,
    ...(row.event && { event: row.event }),
    ...(row.anonymous_id && { anonymousId: row.anonymous_id }),
    ...(row.user_id && { userId: row.user_id }),
    properties: row.properties,
    traits: row.traits,
    context: { ...row.context, ...(row.session_id && { sessionId: row.session_id }) },
  }
  return {
    siteId: row.site_id,
    visitorId: visitorIdOf(message),
    receivedAt: row.received_at,
    ...(row.sender && { sender: row.sender }),
    messages: [message],
  }
}
