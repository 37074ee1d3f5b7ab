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

/**
 * Statement of a user's guard about one of the user's browsers, for the browser's partition: only the user's knows all
 * browsers.
 */
export interface LinkVerdict {
  isHeld: boolean
  /** Place in the stream of the user's partition that it follows from. The verdict of the latest counts. */
  seq: number
}

/** A browser and a user that messages named together. */
export interface Link {
  /** Times of the first and the latest such message, in milliseconds since the epoch. */
  firstAt: number
  lastAt: number
  /** Type of the first one, such as `identify`. */
  cause: string
  decision?: LinkDecision
  /** Only of browsers. Absent: the user's guard has never held the browser back. */
  verdict?: LinkVerdict
}

/** Links of a browser by `userId`, or of a user by `anonymousId`. */
export type Links = Record<string, Link>

/**
 * A change that one partition tells another about: a browser and a user live in different ones. It is in an
 * envelope of `events.<partition>`, so that replays know of it.
 */
export interface IdentityChange {
  anonymousId: string
  userId: string
  /** The message that named both; absent in decisions. In verdicts the first one. */
  link?: Pick<Link, 'firstAt' | 'lastAt' | 'cause'>
  /** Absent in what messages and guards say. */
  decision?: LinkDecision
  /** Told by the user's partition to that of the browser alone. Absent: nothing */
  verdict?: LinkVerdict
}

/** Tells whether a value has the shape of `Links`. */
export function isLinks(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isLink)
}

function isLink(value: unknown): boolean {
  return (
    isObject(value) && isNamed(value) && isAbsentOr(value.decision, isDecision) && isAbsentOr(value.verdict, isVerdict)
  )
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

function isVerdict(value: unknown): boolean {
  return isObject(value) && typeof value.isHeld === 'boolean' && Number.isFinite(value.seq)
}

/** Tells whether a value has the shape of an `IdentityChange`. */
export function isIdentityChange(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.anonymousId) &&
    isId(value.userId) &&
    isAbsentOr(value.link, isNamed) &&
    isAbsentOr(value.decision, isDecision) &&
    isAbsentOr(value.verdict, isVerdict)
  )
}
