import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isId, isIdOrEmpty, isListOf, isText } from '../../wire/checks/parse-stored.js'

/**
 * Segments that a person is in, in the order of their names, each with when they entered, in milliseconds since the
 * epoch.
 */
export type Members = [segment: string, since: number][]

/**
 * News of one partition about the segments of a person. It is in an envelope of `events.<partition>`, so that every
 * replay changes them at the same place among the person's messages. Without changes it says that a browser of the
 * person has something new.
 */
export interface SegmentNews {
  /** The browser that has something new; '' where a user's own partition tells. */
  anonymousId: string
  /** '' for a browser without a user. */
  userId: string
  /** When it was found, in milliseconds since the epoch, by the server's clock. */
  at: number
  /** Message at which it was found. Absent: none. */
  messageId?: string
  /** Segments of the person that changed. Absent: none. */
  entered?: string[]
  left?: string[]
  /** Segments that the browser was in until now, when it became one of the user's. Absent: none. */
  carried?: string[]
  /** The browser takes it that the user's guard holds it back. Absent: it does not */
  isHeld?: true
}

/** Tells whether a value has the shape of `Members`. */
export function isMembers(value: unknown): boolean {
  return isListOf(
    value,
    pair => Array.isArray(pair) && pair.length === 2 && isText(pair[0]) && Number.isFinite(pair[1]),
  )
}

/** Tells whether a value has the shape of a `SegmentNews`. */
export function isSegmentNews(value: unknown): boolean {
  const isNames = (names: unknown) => isListOf(names, isText)
  return (
    isObject(value) &&
    isIdOrEmpty(value.anonymousId) &&
    isIdOrEmpty(value.userId) &&
    Number.isFinite(value.at) &&
    isAbsentOr(value.messageId, isId) &&
    isAbsentOr(value.entered, isNames) &&
    isAbsentOr(value.left, isNames) &&
    isAbsentOr(value.carried, isNames) &&
    isAbsentOr(value.isHeld, isHeld => isHeld === true)
  )
}
