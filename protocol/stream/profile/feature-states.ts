/** A row of an aggregate: a number, a text, or lists of them, see `core/features/aggregates`. */
export type FeatureRow = number | string | boolean | FeatureRow[]

/** Rows by key in the order of the keys, as one list: key, row, key, row … */
export type FeatureCells = (string | FeatureRow)[]

/** The content of one slot of time of a feature: a row, or rows by key where the feature has a `by`. */
export type FeatureCell = FeatureRow | FeatureCells

/** The content of a feature by slot of time, in the order of the slots, as one list: slot, cell, slot, cell … */
export type FeatureSlots = (number | FeatureCell)[]

/**
 * The state of one version of a feature: the stream sequence after which it counted, 0 for all of the profile's
 * messages, and what it holds: a cell where all time is one, else slots; an empty list where that is nothing.
 */
export type FeatureState = [since: number, held: FeatureCell | FeatureSlots]

/**
 * A session of one browser as an interval of time, in milliseconds since the epoch. `id` is '' where no message names
 * it. `cells` holds what features of sessions count: version, cell, version, cell …
 */
export type Visit = [id: string, startedAt: number, endedAt: number, messages: number, cells: (string | FeatureCell)[]]

/**
 * Numbers that say what was left out of features so that a profile stays within its bytes. They only ever grow, and
 * merges take the greater of two: so of what is left each key has all that ever counted for it.
 */
export interface Narrowed {
  /** Step of the ladder of bounds that the profile came to, see `core/profile/features/ladder.ts`. */
  step: number
  /** How often the number of sessions was halved. */
  visits: number
  /** By version of the feature: how often its keys or values were halved, see `narrowHeld`. */
  of: Record<string, number>
}

/**
 * The content of a visitor's features. It follows from the set of the messages, not from their order: all of it is
 * sums, least and greatest values, and sets of bounded size that keep what has the smallest hashes.
 */
export interface FeatureStates {
  /**
   * Revision of the site's features that have counted all messages of the profile: the one under which it began, or the
   * one whose history was filled. Those that were declared later count from a position, which stands with the browser's
   * own states for all its users. -1: the profile is older than features.
   */
  born: number
  /** Greatest time of a message, in milliseconds since the epoch. */
  at: number
  /** By version of the feature, see `versionOfFeature`. */
  of: Record<string, FeatureState>
  /** Sessions of the last 30 days, in the order of their start. */
  visits: Visit[]
  /** Earlier sessions: how many, and the sum of their lengths in milliseconds. */
  past: [visits: number, ms: number]
  /** Absent: all of it is within its bytes. */
  narrowed?: Narrowed
}
