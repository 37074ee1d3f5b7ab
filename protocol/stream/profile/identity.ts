import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isId, isText } from '../../wire/checks/parse-stored.js'

/** States of a browser and a user: one person, held back by a guard, or taken apart by an administrator. */
export const LINK_STATES = ['joined', 'held', 'undone'] as const

export type LinkState = (typeof LINK_STATES)[number]

/** A decision about a browser and a user, which counts before what their messages say. */
export interface LinkDecision {
  state: LinkState
  /** When it was made, in milliseconds since the epoch. The latest one counts. */
  at: number
  /** Why: what an administrator said, or the name of a guard. */
  cause: string
}

/** A browser and a user that messages named together. */
export interface Link {
  /** Times of the first and the latest such message, in milliseconds since the epoch. */
  firstAt: number
  lastAt: number
  /** Type of the first one, such as `identify`. */
  cause: string
  decision?: LinkDecision
}

/** Links of a browser by `userId`, or of a user by `anonymousId`. */
export type Links = Record<string, Link>

/**
 * A change that one partition tells another about: a browser and a user live in different ones. It stands in an
 * envelope of `events.<partition>`, so that replays know of it.
 */
export interface IdentityChange {
  anonymousId: string
  userId: string
  /** The message that named both; absent in decisions. */
  link?: Pick<Link, 'firstAt' | 'lastAt' | 'cause'>
  /** Absent in what messages say. */
  decision?: LinkDecision
}

/** Tells whether a value has the shape of `Links`. */
export function isLinks(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isLink)
}

function isLink(value: unknown): boolean {
  return isObject(value) && isNamed(value) && isAbsentOr(value.decision, isDecision)
}

function isNamed(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value.firstAt) && Number.isFinite(value.lastAt) && isText(value.cause)
}

function isDecision(value: unknown): boolean {
  return (
    isObject(value) &&
    LINK_STATES.includes(value.state as LinkState) &&
    Number.isFinite(value.at) &&
    isText(value.cause)
  )
}

/** Tells whether a value has the shape of an `IdentityChange`. */
export function isIdentityChange(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.anonymousId) &&
    isId(value.userId) &&
    isAbsentOr(value.link, isNamed) &&
    isAbsentOr(value.decision, isDecision)
  )
}
