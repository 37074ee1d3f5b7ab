import type { JsonObject } from '../../wire/messages.js'

/** Messages that a step of a pattern takes. */
export interface PatternEvent {
  event: string
  where?: JsonObject
  /** Path whose value must be the same in all steps. */
  key?: string
}

/** A step of a pattern: a message, or that none came within a time. */
export type PatternStep = PatternEvent | { not: PatternEvent; within: string }

/** A pattern over one visitor's messages, as an administrator declares it. */
export interface PatternDefinition {
  name: string
  sequence: PatternStep[]
  within?: string
  grace?: string
}
