import type { ExperimentArm } from '../../site/experiments/experiment.js'

/** Request-reply subject on which the contents of an earlier version of a slot are asked for. */
export const CONTENTS_THEN_SUBJECT = 'contents-then'

/**
 * Request for the contents that a slot had when a decision was made: the tables have versions that the catalog no
 * longer keeps.
 */
export interface ContentsThenRequest {
  siteId: string
  slotId: string
  /** As the decision's record has it. */
  policyVersion: string
  /** When it was decided, in milliseconds since the epoch. */
  at: number
  /** Ways in which the slot may have chosen: as arms of experiments do, or, where it is null, as it is. */
  ways: (ExperimentArm | null)[]
}

/** Ids of the contents in the order of the decision's record; null: the tables have no such version. */
export type ContentsThenReply = { contentIds: string[] | null } | { failed: string }
