/** Forms of a record whose draw is recorded as a whole, by `DecisionRecord.recordVersion`. */
export type DrawVersion = 2 | 3

/**
 * The draw of a decision as its record has it: with the seed, all that it takes to draw again. Nothing is rounded.
 * Whole numbers are packed as letters, five bits each; in the second form, and where they are no whole numbers, they
 * are lists.
 */
export interface RecordedDraw {
  /** Form of the record. Absent: 2 */
  version?: 3
  /**
   * Of each content of the slot, by id: `e` where it could be shown, else a letter for why not (`EXCLUSION_LETTERS`). A
   * number behind a letter says how often it comes. From the third form on, where that is shorter: `=`, bits as base64,
   * `;`, and the letters of those whose bit is 0.
   */
  contents: string
  /** In the order in which they filled positions. Each has what those before left. */
  stages: RecordedStage[]
}

/** Content among which a campaign or the policy chose. */
export interface RecordedStage {
  /** Campaign that took precedence. Absent: the policy had all that was left */
  campaign?: string
  /** Number of candidates. */
  of: number
  /** Their places among the slot's contents. Absent: all that could be shown and were left, in that order */
  contents?: string | number[]
  /**
   * Places of the campaign's content that met its condition, where that asks for features of content. Absent: it does
   * not, or they are the candidates
   */
  met?: string | number[]
  /** Absent: pinned, one after the other */
  lottery?: PackedLottery
  /** Places of what was shown among the candidates. */
  drawn: number[]
}

/** A `Lottery` of the core, packed. */
export type PackedLottery = { exploration: number } & (
  | { rule: 'ranked'; ranks: string | number[] }
  /** `place difference, share, …` of those above 0. */
  | { rule: 'shares'; shares: string | number[] }
  /** Packed scores are in millionths, with a sign. */
  | { rule: 'gaps'; scores: string | number[]; gamma: number }
  /** Each sample as `length` letters, each of which names one of `contenders`. */
  | { rule: 'samples'; contenders: string | number[]; length: number; tops: string }
)

/** Letters of `RecordedDraw.contents` for content that could not be shown. */
export const EXCLUSION_LETTERS = {
  not_started: 'n',
  ended: 'x',
  out_of_stock: 'o',
  broken_condition: 'b',
  condition: 'c',
  stopped: 's',
  capped: 'k',
  repeated: 'r',
} as const

/** Why a content could not be shown. */
export type ExclusionReason = keyof typeof EXCLUSION_LETTERS

/**
 * Facts of a person and a request that decided beside interests, so that other policies of the kind can be valued by
 * the record. Each is there where the policy of the slot reads it.
 */
export interface RecordedFacts {
  /** Hashes of "name = value" of context, interests, segments, traits and features, as models learn from them. */
  tokens?: number[]
  /** Segments that the person was in. */
  segments?: string[]
  /** Items the person had to do with, the latest last. */
  items?: string[]
  /** Person by whom an ensemble's policies are shared out. */
  personId?: string
  /** True where the holdout of the site has the person, whatever that of the slot says. */
  isHeldOutOfSite?: true
}

/** Extent of what a slot had learned when it was decided. */
export interface RecordedModel {
  /** Time up to which it had learned, in milliseconds since the epoch. */
  asOf: number
  /** Views that it had learned from, as if all had been at the first position. */
  views: number
  /** Outcomes of its linear model. Absent: it has none */
  outcomes?: number
}
