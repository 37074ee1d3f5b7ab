import type { Json } from '../../wire/messages.js'

/** Request-reply subject on which the changes of a value are asked for. */
export const VALUE_HISTORY_SUBJECT = 'value-history'

/** Changes that one request may ask for, and how many it gets where it does not say. */
export const MAX_VALUE_CHANGES = 500
export const DEFAULT_VALUE_CHANGES = 50

/** Request for the latest changes of a feature of a person. */
export interface ValueHistoryRequest {
  siteId: string
  /** '' for a browser of no user. */
  userId: string
  /** `anonymousId` of each browser of the person. */
  browsers: string[]
  feature: string
  /** Most changes that are wanted. */
  limit: number
}

/** One message that changed the value of a feature. */
export interface ValueChange {
  /** Time of the message, ISO 8601. */
  at: string
  messageId: string
  /** Type of the message, and its event where it has one. */
  type: string
  event?: string
  anonymousId: string
  userId: string
  /** Position of the message in the stream of events. */
  position: number
  /** Values before and after it, at its time. Of values by key the keys that it changed. */
  from: Json
  to: Json
}

/** The latest changes of a feature, the newest first. */
export interface ValueHistory {
  feature: string
  version: string
  changes: ValueChange[]
  /** Whether there were changes before these. */
  hasMore: boolean
  /** Position of the first message that was looked at, where the person has too many. Absent: all were */
  since?: number
}

export type ValueHistoryReply = { history: ValueHistory } | { failed: string }
