import { type Problem, VIOLATION_CODES, type Violation } from './violations.js'

/** Message shapes: Segment's spec (https://segment.com/docs/connections/spec/), with the fields this product adds. */

export type MessageType = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias'

export const MESSAGE_TYPES: readonly MessageType[] = ['track', 'page', 'screen', 'identify', 'group', 'alias']

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Where and how a message came about. Open: whatever else a client adds is kept. */
export interface MessageContext {
  /** The browser's session. Without it the server derives sessions. */
  sessionId?: string
  /** The page view this message belongs to. */
  pageViewId?: string
  /** Running number of this message in its browser, from 1, for the delivery ledger. */
  seq?: number
  page?: { url?: string; path?: string; referrer?: string; search?: string; title?: string }
  /** The values of `utm_…`, and the click ids of advertisers under their own names: `gclid`, `fbclid`, `msclkid` … */
  campaign?: { source?: string; medium?: string; name?: string; term?: string; content?: string } & {
    [parameter: string]: string
  }
  userAgent?: string
  locale?: string
  /**
   * Zone of the sender's clock by the IANA database, such as "Europe/Berlin": hours and days of features are those
   * there.
   */
  timezone?: string
  library?: { name: string; version: string }
  /** Version of its event's schema that the message is made for, such as "1-0-0". Without it the newest counts. */
  schemaVersion?: string
  /** Set by the collector: how the message breaks the site's tracking plan, if the plan's mode is `warn`. */
  violation?: Violation
  /**
   * `signature`, of a client: HMAC-SHA256 of the message's `userId` by the site's `identitySecret`, lower-case hex; the
   * collector takes it out. `verified`, of the collector: whether it was right, where the site signs its users.
   */
  identity?: { signature?: string; verified?: boolean; [key: string]: unknown }
  /**
   * Set by the collector, of a `Slot Clicked`: what the content is about, as the catalog was when the click arrived.
   */
  content?: { category?: string; [key: string]: unknown }
  /**
   * Set by the collector: `timestamp` was older than a public key's may be, or contradicted `sentAt`.
   * `originalTimestamp` is what the client said.
   */
  timeClamped?: true
  [key: string]: unknown
}

/** One Segment-spec call, as a client sends it. */
export interface Message {
  /** Minted once, kept through every retry: the key of deduplication. */
  messageId: string
  type: MessageType
  /** Name of a `track` message, e.g. "Product Viewed". */
  event?: string
  /** Name of a `page` or `screen` message. */
  name?: string
  /** A browser or device. A message has an `anonymousId` or a `userId`, or both. */
  anonymousId?: string
  /** A known person. */
  userId?: string
  /** Of `alias`: the id that `userId` replaces. */
  previousId?: string
  groupId?: string
  /** When it happened, by the client's clock, ISO 8601. */
  timestamp?: string
  /** When it was sent, by the client's clock, ISO 8601. */
  sentAt?: string
  properties?: JsonObject
  traits?: JsonObject
  context?: MessageContext
}

/** A browser's own count of what became of its messages. */
export interface Ledger {
  captured: number
  sent: number
  acknowledged: number
  /** Messages given up, by reason. */
  dropped: Record<string, number>
}

/** Body of `POST /v1/batch`. */
export interface Batch {
  batch: Message[]
  sentAt?: string
  writeKey?: string
  /** Id of a sealed batch: a retry carries the same id and the same messages. */
  batchId?: string
  ledger?: Ledger
  /** Fields of all messages; those of a message itself take precedence. */
  context?: MessageContext
}

/** A message that was accepted but not stored. */
export interface Rejection {
  messageId: string | null
  /** Position in the batch, from 0. */
  index: number
  code: RejectionCode
  /** The fault, its place, and what to do: one sentence for a person. */
  reason: string
  /** Where in the message, as JSONPath. Given for what breaks the tracking plan, as is the next. */
  path?: string
  /** The schema that counted; empty where there is none. */
  schemaVersion?: string
  /** Each thing that breaks the tracking plan, where there are several. */
  problems?: Problem[]
}

/** Faults of messages, by code. */
export const REJECTION_CODES = {
  not_an_object: 'a message must be a JSON object',
  missing_field: 'a field that this type of message needs',
  unknown_type: '`type` is none of the six',
  wrong_type: 'a field holds the wrong kind of value',
  too_long: 'an id or name is longer than 256 characters, or a key is',
  too_large: 'the message is larger than 32 KB',
  too_deep: 'nested deeper than 16 levels',
  too_many_keys: 'more than 1,000 keys, at all levels together',
  traits_too_large: '`traits` have more than 16 KB as JSON, or more than 1,000 values at all levels together',
  forbidden_key: '`__proto__` or `constructor.prototype` as a key',
  invalid_id:
    'an id that says nothing, such as "undefined", "null", "[object Object]", "anonymous", 0 or blanks; a `userId` only where there is no `anonymousId`',
  forbidden_character: 'a NUL character in an id or name',
  invalid_timestamp: '`timestamp` or `sentAt` is not an ISO 8601 date',
  timestamp_out_of_range: 'without `sentAt`: before the year 2000, or more than a day in the future',
  secret_key_required: 'a `userId` without an `anonymousId`, sent with a public key of a site that has secret keys',
  person_deleted: 'from before the deletion of the person that it names; not kept',
  ...VIOLATION_CODES,
} as const

export type RejectionCode = keyof typeof REJECTION_CODES

/** A browser's wish not to be tracked: Global Privacy Control, or Do Not Track. */
export type PrivacySignal = 'gpc' | 'dnt'

/** Answer to `POST /v1/batch`. */
export interface BatchAnswer {
  success: true
  accepted: number
  /** Rejected messages: all, or, where there are very many, the first of them. */
  rejected: Rejection[]
  /** Messages that were not stored and aren't to be sent again, by reason; absent when there are none. */
  dropped?: Partial<Record<PrivacySignal, number>>
  /** How many more were rejected than `rejected` names; absent when it names all. */
  moreRejected?: number
  /** Messages that are stored although they break the tracking plan; absent when there are none. */
  violations?: Rejection[]
  /** How many more there are than `violations` names; absent when it names all. */
  moreViolations?: number
  /**
   * Position of the visitor's messages in the stream; absent when the batch held several visitors. Sent back as
   * `after` in `/v1/slots`, it makes the answer wait until these messages count.
   */
  position?: number
}

/** Instructions to Segment, which are not stored. */
export const NOT_KEPT = 'integrations'
