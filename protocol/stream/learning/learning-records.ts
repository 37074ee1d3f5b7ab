import type { PackedFeatures } from './served.js'

/**
 * One step in what came of one item of a decision, from which policies learn: that it was viewed, or that it earned
 * something. Models are the sum of all steps.
 */
export interface LearningRecord {
  decisionId: string
  slotId: string
  contentId: string
  /** Rank on the page, from 1. */
  position: number
  /** When it was decided, in milliseconds since the epoch. */
  at: number
  /** Sum that the item has earned, in units of `REWARD_SCALE`. */
  reward: number
  /** Sum that it had earned before this step, which is taken away. Absent: the item enters now */
  previous?: number
  /** Stratum of what the browser loses, see `LOSS_STRATA`, by which the reward is weighted. Absent: 0, nothing */
  stratum?: number
  /** The one that it was in before this step. Absent: 0 */
  previousStratum?: number
  segments?: string[]
  features?: PackedFeatures
}

/** Amounts by which a stream message adds to the features of a content in one slot. */
export interface ContentAmounts {
  contentId: string
  /** '' where messages name none. */
  slotId: string
  /**
   * Version of the feature, slot of time, the first slot that still counts beside it, the sum in millionths, and the
   * key of a feature by key: what a sum over all messages needs, without knowing what the site declares.
   */
  amounts: [version: string, slot: number, first: number, units: number, key?: string][]
}

/** One stream message of `learning.<partition>`: all steps that one message of `events.<partition>` made. */
export interface LearningEnvelope {
  siteId: string
  visitorId: string
  anonymousId: string
  userId?: string
  receivedAt: string
  /** Sequence of that message, by which repeats are known. */
  seq: number
  /**
   * Sequence up to which the partition's profiles were stored when it was published: nothing up to it is told any more.
   */
  stored: number
  /**
   * Names a deletion that takes the records away, each once: what they added is subtracted, and what they took away as
   * `previous` is added again. Such an envelope names no person. Absent: they are added
   */
  removal?: string
  /**
   * Of a removal: position of the message whose records it takes away, as in `learning_outcomes`. A reader from which
   * that was gone before it came to it has nothing to take away.
   */
  removes?: number
  /**
   * Names a part of an imported log, whose records are added once, whenever they come: such an envelope names no
   * person, and its `seq` and `stored` are 0. Or a fill, see `contentFill`: `seq` and `stored` count its envelopes.
   * Or a further part of what a message adds to content, see `contentPart`. Absent: it is of a message
   */
  batch?: string
  records: LearningRecord[]
  /** Amounts that the message adds to the features of content. Absent: none */
  contents?: ContentAmounts[]
}

/**
 * Returns the name of a fill: it adds what messages of before a feature of content was declared add to it, up to a
 * sequence of the stream of events, once in each partition of a site.
 *
 * @param version of the feature
 */
export function contentFill(version: string, through: number): string {
  return `fill-${version}-${through}`
}

/**
 * Returns the name of a further part of what a message adds to the features of content, because an envelope holds only
 * so much. `seq` and `stored` are those of the message.
 *
 * @param place of the part, from 1
 */
export function contentPart(partition: number, seq: number, place: number): string {
  return `part-${partition}-${seq}-${place}`
}

/** Tells whether an envelope is a further part of what a message adds to the features of content. */
export function isOfPart({ batch }: Pick<LearningEnvelope, 'batch'>): boolean {
  return batch?.startsWith('part-') ?? false
}

/** Tells whether an envelope is of a fill. */
export function isOfFill({ batch }: Pick<LearningEnvelope, 'batch'>): boolean {
  return batch?.startsWith('fill-') ?? false
}

/** Returns the id of what an envelope adds to the features of content, whenever it is taken away. */
export function contentsRecordId(
  partition: number,
  { siteId, seq, batch }: Pick<LearningEnvelope, 'siteId' | 'seq' | 'batch'>,
): string {
  return batch === undefined ? `${partition}.${seq}.contents` : `${partition}.${siteId}.${batch}.${seq}.contents`
}

/** Returns the id of a step: the same in every replay, and whenever it is taken away. */
export function learningRecordId(
  partition: number,
  { seq, batch }: Pick<LearningEnvelope, 'seq' | 'batch'>,
  index: number,
): string {
  return batch === undefined ? `${partition}.${seq}.${index}` : `${batch}.${index}`
}
