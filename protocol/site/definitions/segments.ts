import type { JsonObject } from '../../wire/messages.js'

/** A segment of persons, as an administrator declares it. */
export interface SegmentDefinition {
  name: string
  /** Condition that a person meets to be in it. */
  where: JsonObject
  /** Condition that a member meets to leave it. Default: `where` no longer holds. */
  leaveWhere?: JsonObject
}
