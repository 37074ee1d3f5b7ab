import type { JsonObject } from '../../wire/messages.js'

/** A segment of persons, as an administrator declares it. */
export interface SegmentDefinition {
  /** 1–100 characters of `A–Z a–z 0–9 _ -`, unique in its set. */
  name: string
  description?: string
  /** Condition that a person meets to be in it. */
  where: JsonObject
  /**
   * Condition that a member meets to leave it: a member stays until it holds, and no person enters while it does.
   * Default: a member leaves when `where` no longer holds.
   */
  leaveWhere?: JsonObject
}
