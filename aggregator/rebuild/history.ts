import type { ClickHouseClient } from '@clickhouse/client'
import {
  type EventEnvelope,
  type JsonObject,
  type Profile,
  type StoredMessage,
  visitorIdOf,
} from '@slotstream/protocol'
import { applyEnvelope } from '../profiles/apply.js'

/** A row of `events`, with what profiles are made of. */
export interface EventRow {
  site_id: string
  message_id: string
  type: StoredMessage['type']
  event: string
  anonymous_id: string
  user_id: string
  session_id: string
  timestamp: string
  properties: JsonObject
  traits: JsonObject
}

/** The rows between two positions, the ends left out, visitor by visitor, each visitor's in the order of the stream. */
export async function* eventsBetween(
  clickhouse: ClickHouseClient,
  after: number,
  before: number,
): AsyncGenerator<EventRow> {
  const result = await clickhouse.query({
    query: `SELECT site_id, message_id, type, event, anonymous_id, user_id, session_id, properties, traits,
              formatDateTime(timestamp, '%Y-%m-%dT%H:%i:%S', 'UTC')
                || '.' || leftPad(toString(toUnixTimestamp64Milli(timestamp) % 1000), 3, '0') || 'Z' AS timestamp
            FROM slotstream.events WHERE stream_seq > {after:UInt64} AND stream_seq < {before:UInt64}
            ORDER BY site_id, if(anonymous_id != '', anonymous_id, concat('user:', user_id)), stream_seq, batch_index
            SETTINGS max_bytes_before_external_sort = 268435456`,
    query_params: { after, before },
    format: 'JSONEachRow',
  })
  for await (const rows of result.stream<EventRow>()) for (const row of rows) yield row.json()
}

/**
 * The profiles that rows of `events` give, one after the other. Pure. The table's JSON columns keep no nulls: a trait
 * that was removed by null is still there.
 *
 * @param seq sequence that the profiles are as of
 */
export async function* profilesOf(rows: AsyncIterable<EventRow>, seq: number): AsyncGenerator<Profile> {
  let profile: Profile | undefined
  let count = 0
  for await (const row of rows) {
    const envelope = envelopeOf(row)
    if (profile && (profile.siteId !== envelope.siteId || profile.visitorId !== envelope.visitorId)) {
      yield { ...profile, seq }
      profile = undefined
    }
    profile = applyEnvelope(profile, envelope, ++count)
  }
  if (profile) yield { ...profile, seq }
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
    context: row.session_id ? { sessionId: row.session_id } : {},
  }
  return { siteId: row.site_id, visitorId: visitorIdOf(message), receivedAt: row.timestamp, messages: [message] }
}
