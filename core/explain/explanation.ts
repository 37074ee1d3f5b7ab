import type { DecisionRecord } from '@slotstream/protocol'

/** The fields of a record that are explained. Those that earlier releases did not write may be absent. */
export type ExplainedRecord = Pick<
  DecisionRecord,
  'outcome' | 'contentIds' | 'propensities' | 'candidates' | 'excluded' | 'features' | 'seed' | 'draw' | 'ghost'
> &
  Partial<Pick<DecisionRecord, 'policy' | 'campaigns' | 'experiment' | 'arm'>>

/** A decision in plain words, and as a table. */
export interface Explanation {
  /** True if the draw, done again from the record alone, is the same. */
  reproduced: boolean
  /** Explanation in English. No HTML: names in it are those of the site's contents. */
  text: string
  /**
   * Contents of the slot: what was shown or would have been, by rank; the others that could be, the likeliest first;
   * the rest.
   */
  candidates: ExplainedContent[]
  /** Contents of the slot whose names neither the record nor a catalog that is kept has. */
  unnamed: number
}

/** One content of a slot in a decision. */
export interface ExplainedContent {
  contentId: string
  /**
   * Its chance, 0–1: of what has a position, for that position, given those before it; of others, for the first
   * position for which they could be drawn.
   */
  propensity: number
  /** Rank that it was drawn for, from 1 on, also where it was held back. Null: it was not drawn */
  position: number | null
  shown: boolean
  /** Null: it could be shown. `displaced`: it could, but campaigns filled all positions with others. */
  excluded: { reason: string; detail: string } | null
}

/** Contents with what is said of the ones that were drawn. */
export interface ExplainedSlot {
  candidates: ExplainedContent[]
  unnamed: number
  /** Content of each position, and why it has it. */
  drawn: { contentId: string; why: string }[]
}
