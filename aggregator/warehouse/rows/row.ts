import { type Check, joined, parseStored, type Sender } from '@slotstream/protocol'

/** The identity of a message: a second send has the same key. */
export interface RowKey {
  siteId: string
  /** Absent where ids are made by servers: they are unique within a site. */
  sender?: Sender
  /** Empty where ids are unique within a site. */
  visitor: string
  id: string
  /** An id that an earlier version gave the same thing; the table may have it under that one. */
  formerId?: string
  /** Time that is equal in every send and part of the table's order, ISO 8601. Absent: the client named none. */
  time?: string
  /**
   * Time when it happened by the server's clock, ISO 8601: its first send cannot have arrived before. Absent when that
   * is not known.
   */
  happened?: string
  receivedAt: string
}

/** The person of a row: looked at when a person was deleted. */
export interface RowPerson {
  anonymousId?: string | undefined
  userId?: string | undefined
  previousId?: string | undefined
  /** Time when it happened, ISO 8601: rows from before the deletion are left out. */
  time: string
}

/** One row of a table, encoded once: every attempt inserts the same bytes. */
export interface Row {
  /** The row as one line of JSON. */
  line: string
  /** Position in the stream and within its message. */
  seq: number
  index: number
  /** Absent in tables whose rows are not deduplicated. */
  key?: RowKey
  /** The part of it that is stored when the table rejects it. */
  source: {
    siteId: string
    partition: number
    receivedAt: string
    messageId: string | null
    /** Absent where the payload names the person. */
    person?: RowPerson
    /**
     * Reads the payload once more from its message: parsed messages kept until their block is in the table would be
     * most of what the garbage collector has to copy.
     */
    payload: () => unknown
  }
}

/** A message of a stream, as the mappings see it. Body and time are read anew whenever they are asked for. */
export interface SourceMessage {
  seq: number
  subject: string
  /** The message's body. */
  readonly text: string
  /** ISO 8601: when the stream stored it. */
  readonly storedAt: string
  /** True if it marks a key of a KV bucket as deleted. */
  deleted: boolean
}

/**
 * Parses the content of a stream's message from its text.
 *
 * @throws Error that says what is wrong, without repeating data: the message becomes a dead letter
 */
export function readMessage<T>(message: Pick<SourceMessage, 'text'>, parse: (raw: unknown) => Check<T>): T {
  const parsed = parseStored(message.text, parse)
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value
}

/** Returns a text that is unique per key. */
export function keyText({ siteId, sender = 'public', visitor, id }: Omit<RowKey, 'receivedAt'>): string {
  return joined([siteId, sender, visitor, id])
}

/** Returns the place of a row in its stream, `<seq>/<index>`. */
export function rowPlace(row: Pick<Row, 'seq' | 'index'>): string {
  return `${row.seq}/${row.index}`
}
