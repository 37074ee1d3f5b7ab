import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isListOf, isText, misfit } from '../../wire/checks/parse-stored.js'

/**
 * Memory of a visitor's messages, so that patterns are found: of bounded size, and JSON. All times are
 * milliseconds since the epoch, by the messages' own times.
 */
export interface PatternStates {
  /** Version of the set of patterns that it belongs to. */
  version: string
  /** Earliest time at which something happens without a message. Absent: never. */
  due?: number
  /** Of each pattern that has seen something, by name. */
  of: Record<string, PatternState>
  /**
   * Memory that patterns of persons have of each user of a browser but the first, by `userId`; '' for those who are not
   * joined with it. Absent: no other user was there.
   */
  byUser?: Record<string, Record<string, PatternState>>
}

/** Memory of one pattern. Every list that is empty is absent. */
export interface PatternState {
  /** Version of the definition: the state of another one is dropped. */
  version: string
  /** Time up to which messages were taken. Later arrivals of earlier messages are late. */
  settled?: number
  /** Messages within the pattern's grace, in order. */
  pending?: PatternFact[]
  /** Sequence: those that have begun. */
  runs?: PatternRun[]
  /** Sequence: messages that refute, in case those that they refute arrive after them. */
  refuters?: PatternRefuter[]
  /** Signals that a late message may refute. */
  told?: PatternRun[]
  /** Count and sum: messages of the window, by key. */
  windows?: PatternWindow[]
  /** Return and change: time and value of the latest message. */
  latest?: { at: number; value?: string }
  /** When each key yielded its latest signal, while others are kept back. */
  quiet?: [key: string, at: number][]
}

/** A message as a pattern sees it. */
export interface PatternFact {
  at: number
  /** Running number of the message in its browser; 0: it has none. */
  seq: number
  /** Its `messageId`, and the session it belongs to. */
  id: string
  session: string
  /** True if it is of another visitor of the person: that one reports what it completes. Absent: the visitor's own */
  isTold?: true
  /** Steps that it fits, each with its keys; a step without key has none. */
  hits: PatternHit[]
  /** Amount that a sum adds, in millionths. */
  amount?: number
  /** Value that a change compares. */
  value?: string
}

export type PatternHit = [step: number, ...keys: string[]]

/** A sequence as far as it has come: the time of each step that is done. */
export interface PatternRun {
  key: string
  times: number[]
  /** `messageId` of the latest message, its session, and whether another visitor's. */
  id: string
  session: string
  isTold?: true
}

export interface PatternRefuter {
  step: number
  at: number
  /** Absent: it refutes whatever the key. */
  key?: string
}

/** Times of messages in order, and of a sum their amounts in millionths. */
export interface PatternWindow {
  key: string
  times: number[]
  amounts?: number[]
}

/** Parses the states of patterns as a stored profile has them. They are given back as they were read. */
export function parsePatternStates(raw: unknown): Check<PatternStates> {
  if (!isObject(raw) || !isText(raw.version) || !isObject(raw.of)) return misfit('patterns are of another shape')
  if (!isAbsentOr(raw.due, Number.isFinite)) return misfit('due of patterns is no time')
  if (!isStates(raw.of)) return misfit('the state of a pattern is of another shape')
  if (!isAbsentOr(raw.byUser, byUser => isObject(byUser) && Object.values(byUser).every(isStates)))
    return misfit('the state of a pattern by user is of another shape')
  return { ok: true, value: raw as unknown as PatternStates }
}

function isStates(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isPatternState)
}

function isPatternState(value: unknown): boolean {
  if (!isObject(value) || !isText(value.version)) return false
  const { settled, pending, runs, refuters, told: reported, windows, latest, quiet } = value
  return (
    isAbsentOr(settled, Number.isFinite) &&
    isAbsentOr(pending, list => isListOf(list, isFact)) &&
    isAbsentOr(runs, list => isListOf(list, isRun)) &&
    isAbsentOr(refuters, list => isListOf(list, isRefuter)) &&
    isAbsentOr(reported, list => isListOf(list, isRun)) &&
    isAbsentOr(windows, list => isListOf(list, isWindow)) &&
    isAbsentOr(latest, isLatest) &&
    isAbsentOr(quiet, list => isListOf(list, pair => isListOf(pair, isTextOrNumber) && pair.length === 2))
  )
}

function isFact(value: unknown): boolean {
  return (
    isObject(value) &&
    Number.isFinite(value.at) &&
    Number.isFinite(value.seq) &&
    isText(value.id) &&
    isText(value.session) &&
    isAbsentOr(value.isTold, isTrue) &&
    isListOf(value.hits, hit => isListOf(hit, isTextOrNumber) && hit.length > 0) &&
    isAbsentOr(value.amount, Number.isFinite) &&
    isAbsentOr(value.value, isText)
  )
}

function isRun(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value.key) &&
    isText(value.id) &&
    isText(value.session) &&
    isAbsentOr(value.isTold, isTrue) &&
    isListOfTimes(value.times)
  )
}

function isTrue(value: unknown): boolean {
  return value === true
}

function isRefuter(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value.step) && Number.isFinite(value.at) && isAbsentOr(value.key, isText)
}

function isWindow(value: unknown): boolean {
  return isObject(value) && isText(value.key) && isListOfTimes(value.times) && isAbsentOr(value.amounts, isListOfTimes)
}

function isLatest(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value.at) && isAbsentOr(value.value, isText)
}

function isListOfTimes(value: unknown): boolean {
  return isListOf(value, Number.isFinite)
}

function isTextOrNumber(value: unknown): boolean {
  return isText(value) || Number.isFinite(value)
}
