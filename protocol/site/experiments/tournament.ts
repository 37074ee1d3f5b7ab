/**
 * Rules by which the arms of an experiment, but the control, are candidates: they are valued by the log of what the
 * slot chooses, and no person is in them, until one is better for certain.
 */
export interface TournamentRules {
  /** Consequence of a candidate that is better, or worse, for certain. Default: `try` */
  apply?: TournamentAction
  /** Minutes after a decision in which a click on it counts. Default: `DEFAULT_CLICK_MINUTES` */
  clickMinutes?: number
  /** ISO 8601: decisions from then on count. Stored where it is left out: when the tournament was put */
  since?: string
  /** The candidate that is tried. Absent: none yet */
  arm?: string
  /** Steps so far. Of each candidate at most one drop, and one way up */
  steps?: TournamentStep[]
}

/**
 * Consequence of what is certain of a candidate. `tell`: answers say so. `try`: the better one becomes an arm, with its
 * share of the persons, beside the control. `promote`: the slot chooses as the better one for everybody.
 */
export const TOURNAMENT_ACTIONS = ['tell', 'try', 'promote'] as const

export type TournamentAction = (typeof TOURNAMENT_ACTIONS)[number]

/** Steps of a candidate. */
export const TOURNAMENT_STEPS = ['dropped', 'tried', 'promoted'] as const

/** Step of a candidate, and the numbers by which it was taken. */
export interface TournamentStep {
  /** ISO 8601. */
  at: string
  arm: string
  step: (typeof TOURNAMENT_STEPS)[number]
  reason: string
  /** Decisions by which it was valued. */
  decisions: number
  value: number
  low: number
  high: number
  /** The same of what ran. */
  running: { value: number; low: number; high: number }
}

export const DEFAULT_CLICK_MINUTES = 30
