import {
  type EventEnvelope,
  type JsonObject,
  parseExact,
  type Sender,
  type StoredMessage,
  visitorIdOf,
} from '@slotstream/protocol'

/** A row of `events`, with what profiles are made of. */
export interface EventRow {
  site_id: string
  message_id: string
  type: StoredMessage['type']
  event: string
  anonymous_id: string
  user_id: string
  /** Absent: ''. */
  previous_id?: string
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

/** Columns of an `EventRow`, as SQL. */
export const EVENT_COLUMNS =
  'site_id, message_id, type, event, anonymous_id, user_id, previous_id, sender, session_id, properties, traits, context, ' +
  `${isoText('timestamp')} AS timestamp, ${isoText('received_at')} AS received_at`

/** Parses a row of such columns, with whole numbers as `parseEnvelope` has them. */
export function readEventRow<Row extends EventRow = EventRow>({ text }: { text: string }): Row {
  return parseExact(text) as Row
}

/** Returns SQL of a time as messages hold it. */
function isoText(column: string): string {
  return (
    `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%S', 'UTC') ` +
    `|| '.' || leftPad(toString(toUnixTimestamp64Milli(${column}) % 1000), 3, '0') || 'Z'`
  )
}

/**
 * Returns the envelope that rows came in. Pure. The table's JSON columns keep no nulls: a trait that was removed by
 * null is still there.
 *
 * @param rows of one visitor, site and kind of sender, in their order in the envelope; one at least
 */
export function envelopeOf(rows: readonly [EventRow, ...EventRow[]]): EventEnvelope {
  const [{ site_id, received_at, sender }] = rows
  const messages = rows.map(messageOf)
  return {
    siteId: site_id,
    visitorId: visitorIdOf(messages[0]!),
    receivedAt: received_at,
    ...(sender && { sender }),
    messages,
  }
}

function messageOf(row: EventRow): StoredMessage {
  return {
    messageId: row.message_id,
    type: row.type,
    timestamp: row.timestamp,
    ...(row.event && { event: row.event }),
    ...(row.anonymous_id && { anonymousId: row.anonymous_id }),
    ...(row.user_id && { userId: row.user_id }),
    ...(row.previous_id && { previousId: row.previous_id }),
    properties: row.properties,
    traits: row.traits,
    context: { ...row.context, ...(row.session_id && { sessionId: row.session_id }) },
  }
}
