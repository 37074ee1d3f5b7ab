import type { JsonObject } from '../../wire/messages.js'

/** Messages that a step of a pattern looks for. */
export interface PatternEvent {
  /** Name of a track message, another type of message such as `page`, or `*` for any message. */
  event: string
  /** Condition over the message: `{"properties.price": {"$gt": 10}}`. */
  where?: JsonObject
  /** Path whose value must be that of the first step: `properties.cart_id`. */
  key?: string
}

/**
 * Messages that must not come: with `within`, none in this time after the step before, which so ends only when it is
 * over; without, none until the next step.
 */
export interface PatternAbsence {
  not: PatternEvent | PatternEvent[]
  within?: string
}

export type PatternStep = PatternEvent | PatternAbsence

interface PatternCommon {
  name: string
  description?: string
  /** How late messages may arrive, compared with one another, without any effect on what is found. Default `0s`. */
  grace?: string
  /** Time after a signal in which the same key yields no other. Default `0s`. */
  quiet?: string
  /** Those whose messages belong together. Default: the person; the visitor where it looks at any message. */
  entity?: PatternEntity
}

/** Those whose messages a pattern may look at together: a person's, or each visitor's by themselves. */
export const PATTERN_ENTITIES = ['person', 'visitor'] as const

export type PatternEntity = (typeof PATTERN_ENTITIES)[number]

/** Messages one after the other, and messages that don't come. */
export interface SequencePattern extends PatternCommon {
  sequence: PatternStep[]
  /** Time from the first message of the sequence to the last. Default: any. */
  within?: string
}

/** So many messages within a time. */
export interface CountPattern extends PatternCommon, PatternEvent {
  count: number
  within?: string
}

/** Messages whose values add up to so much within a time. */
export interface SumPattern extends PatternCommon, PatternEvent {
  /** Path of the value: `properties.price`. */
  value: string
  sum: number
  within?: string
}

/** A message that is the first one after a long time. */
export interface ReturnPattern extends PatternCommon, Omit<PatternEvent, 'key'> {
  after: string
}

/** A message with another value than the message before. */
export interface ChangePattern extends PatternCommon, Omit<PatternEvent, 'key'> {
  /** Path of the value: `context.location.country`. */
  changed: string
  within?: string
}

/** A pattern over a person's or visitor's messages, as an administrator declares it. */
export type PatternDefinition = SequencePattern | CountPattern | SumPattern | ReturnPattern | ChangePattern

/** An entry of a set of patterns: one, or that the built-in one of this name is off. */
export type DeclaredPattern = PatternDefinition | { name: string; off: true }

/** Kinds of patterns, by the field that tells. */
export const PATTERN_KINDS = ['sequence', 'count', 'sum', 'after', 'changed'] as const

export type PatternKind = (typeof PATTERN_KINDS)[number]

/** Steps of a sequence, messages that one `not` lists, and the greatest numbers that are counted and summed up to. */
export const MAX_PATTERN_STEPS = 8
export const MAX_PATTERN_NOTS = 4
export const MAX_PATTERN_COUNT = 500
export const MAX_PATTERN_SUM = 1_000_000_000

/** Returns what a pattern looks for; undefined when it does not tell, or tells two things. */
export function patternKindOf(definition: object): PatternKind | undefined {
  const [kind, other] = PATTERN_KINDS.filter(field => Object.hasOwn(definition, field))
  return other === undefined ? kind : undefined
}
