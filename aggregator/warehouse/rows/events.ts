import {
  type EventEnvelope,
  markIntegers,
  parseEventEnvelope,
  type StoredMessage,
  senderOf,
  takeDigitsOfIds,
  visitorIdOf,
} from '@slotstream/protocol'
import { type Row, type RowPerson, readMessage, type SourceMessage } from './row.js'
import { keepDotted } from './text/keep-dotted.js'
import { jsonLine, partitionOfSubject, storableTime, textOf } from './text/line.js'

/** Rows of `events`: one per message of the envelope. */
export function eventRows(message: SourceMessage, seq: number): Row[] {
  const envelope = read(message)
  const partition = partitionOfSubject(message.subject, 1)
  return envelope.messages.map((stored, index) =>
    eventRow(envelope, stored, { seq, index, partition, payload: payloadOf(message, index) }),
  )
}

/** Reads a stream message with all digits of whole numbers: those of ids as text, the others marked. */
function read(message: SourceMessage): EventEnvelope {
  const { text } = message
  const marked = markIntegers(text)
  if (marked === undefined) return readMessage({ text }, parseEventEnvelope)
  const envelope = readMessage({ text: marked }, parseEventEnvelope)
  // A collector of an earlier version left ids as the numbers that they were.
  for (const stored of envelope.messages) takeDigitsOfIds(stored as unknown as Record<string, unknown>)
  return envelope
}

const payloadOf = (message: SourceMessage, index: number) => () =>
  readMessage(message, parseEventEnvelope).messages[index]

function eventRow(
  envelope: EventEnvelope,
  message: StoredMessage,
  { seq, index, partition, payload }: Pick<Row, 'seq' | 'index'> & Pick<Row['source'], 'partition' | 'payload'>,
): Row {
  const { siteId, receivedAt } = envelope
  const sender = senderOf(envelope.sender)
  const { messageId, properties = {}, context = {} } = message
  const original = message.originalTimestamp === undefined ? undefined : storableTime(message.originalTimestamp)
  const page = pageOf(message)
  const line = jsonLine({
    site_id: siteId,
    message_id: messageId,
    type: message.type,
    event: message.event ?? message.name ?? '',
    anonymous_id: message.anonymousId ?? '',
    user_id: message.userId ?? '',
    sender,
    session_id: textOf(context.sessionId),
    page_view_id: textOf(context.pageViewId),
    timestamp: message.timestamp,
    original_timestamp: original ?? receivedAt,
    sent_at: message.sentAt === undefined ? null : storableTime(message.sentAt),
    received_at: receivedAt,
    page_url: page.url,
    page_path: page.path,
    referrer: page.referrer,
    title: page.title,
    slot_id: textOf(properties.slotId),
    content_id: textOf(properties.contentId),
    decision_id: textOf(properties.decisionId),
    position: positionOf(properties.position),
    group_id: message.groupId ?? '',
    previous_id: message.previousId ?? '',
    properties: keepDotted(properties),
    traits: keepDotted(message.traits ?? {}),
    context: keepDotted(context),
    stream_seq: seq,
    batch_index: index,
  })
  return {
    line,
    seq,
    index,
    key: {
      siteId,
      sender,
      visitor: visitorIdOf(message),
      id: messageId,
      receivedAt,
      ...(original === undefined ? {} : { time: original }),
      // Without the time of sending, the client's clock can't be checked, so its time says nothing about the first
      // send; nor does a time that was clamped.
      ...(original === undefined || message.sentAt === undefined || context.timeClamped === true
        ? {}
        : { happened: message.timestamp }),
    },
    source: { siteId, partition, receivedAt, messageId, person: personOf(message), payload },
  }
}

function personOf({ anonymousId, userId, previousId, timestamp }: StoredMessage): RowPerson {
  return { anonymousId, userId, previousId, time: timestamp }
}

/** Returns the page of a message: `context.page`, or the properties of Segment's page calls. */
function pageOf({ type, properties, context }: StoredMessage) {
  const page = (context?.page ?? {}) as Record<string, unknown>
  const pageProperties = type === 'page' || type === 'screen' ? (properties ?? {}) : {}
  const url = textOf(page.url) || textOf(pageProperties.url)
  return {
    url,
    path: textOf(page.path) || textOf(pageProperties.path) || pathOf(url),
    referrer: textOf(page.referrer) || textOf(pageProperties.referrer),
    title: textOf(page.title) || textOf(pageProperties.title),
  }
}

function pathOf(url: string): string {
  return url && URL.canParse(url) ? new URL(url).pathname : ''
}

function positionOf(value: unknown): number | null {
  const position = typeof value === 'string' && value !== '' ? Number(value) : value
  return Number.isInteger(position) && (position as number) >= 0 && (position as number) < 65_536
    ? (position as number)
    : null
}
