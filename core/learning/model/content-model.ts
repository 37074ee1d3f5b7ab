import { isSound, POSITIONS } from '../sums/content-sums.js'
import { REWARD_SCALE } from '../sums/fixed-point.js'
import type { WeightedSums, WeightedTally } from './weighted-sums.js'

/** Views and rewards of one content. Views are converted to the first position, see `readContents`. */
export interface ContentModel {
  views: number
  rewards: number
  /** Sum of the squares of rewards. */
  squares: number
}

/** Views and rewards of a slot's contents. */
export interface ContentsModel {
  byId: Map<string, ContentModel>
  /** By bucket of segments, see `bucketOfSegment`, then by content. */
  bySegment: Map<number, Map<string, ContentModel>>
  /** Sums over all contents. */
  total: ContentModel
  /** For each position: its attention, as a share of the first one's. */
  attention: readonly number[]
}

/** Weight of the prior in the estimate of a position's attention, in views: that it equals the first one's. */
const PRIOR_VIEWS = 20
/** Rounds of the estimate: after them attention changes little, even if some content is only ever at the bottom. */
const ROUNDS = 30

/**
 * Reads the sums per content. Lower positions get less attention: a view there counts as the fraction of a view by
 * which all contents together earn less there than at the first position (position-based model, Craswell et al. 2008).
 */
export function readContents(all: WeightedSums): ContentsModel {
  const sums = { contents: new Map([...all.contents].filter(([, content]) => isSound(content))) }
  const attention = attentionOf(sums)
  const byId = new Map<string, ContentModel>()
  const bySegment = new Map<number, Map<string, ContentModel>>()
  const total: ContentModel = { views: 0, rewards: 0, squares: 0 }
  for (const [id, { positions, segments }] of sums.contents) {
    const model: ContentModel = { views: 0, rewards: 0, squares: 0 }
    for (const [position, tally] of positions) addTally(model, tally, attention[position]!)
    byId.set(id, model)
    total.views += model.views
    total.rewards += model.rewards
    total.squares += model.squares
    for (const [bucket, tally] of segments) {
      const inSegment = bySegment.get(bucket) ?? new Map<string, ContentModel>()
      const ofContent: ContentModel = { views: 0, rewards: 0, squares: 0 }
      addTally(ofContent, tally, 1)
      inSegment.set(id, ofContent)
      bySegment.set(bucket, inSegment)
    }
  }
  return { byId, bySegment, total, attention }
}

/** Returns the typical size of a reward that is not 0, weighted by size: 1 for clicks, and without rewards. */
export function typicalReward({ squares, rewards }: ContentModel): number {
  return rewards > 0 && squares > 0 ? squares / rewards : 1
}

/** Estimates the attention of each position, as a share of the first one's, by alternating rounds. */
function attentionOf({ contents }: Pick<WeightedSums, 'contents'>): number[] {
  const attention = Array.from({ length: POSITIONS }, () => 1)
  for (let round = 0; round < ROUNDS; round++) {
    const earned = new Array<number>(POSITIONS).fill(0)
    const expected = new Array<number>(POSITIONS).fill(0)
    for (const { positions } of contents.values()) {
      let views = 0
      let rewards = 0
      for (const [position, [n, r]] of positions) {
        views += n * attention[position]!
        rewards += r
      }
      if (!(views > 0)) continue
      for (const [position, [n, r]] of positions) {
        earned[position]! += r
        expected[position]! += (n * rewards) / views
      }
    }
    const all = earned.reduce((sum, value) => sum + value, 0)
    const views = [...contents.values()].reduce(
      (sum, { positions }) => sum + [...positions.values()].reduce((n, tally) => n + tally[0], 0),
      0,
    )
    const prior = views > 0 ? (PRIOR_VIEWS * all) / views : 0
    const first = (earned[0]! + prior) / (expected[0]! + prior)
    for (let position = 1; position < POSITIONS; position++) {
      const rate = (earned[position]! + prior) / (expected[position]! + prior)
      attention[position] = prior > 0 ? Math.min(1, Math.max(0.02, rate / first)) : 1
    }
  }
  return attention
}

function addTally(model: ContentModel, [views, rewards, squares]: WeightedTally, attention: number): void {
  model.views += views * attention
  model.rewards += rewards / REWARD_SCALE
  model.squares += squares / REWARD_SCALE
}
