import type { DecisionRecord } from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { addOutcome, advance, emptyEpochs } from '../learning/epochs/epochs.js'
import { crossFacts, DIMENSION, featuresOf } from '../learning/features/cross.js'
import { readModel, type SlotModel } from '../learning/model/slot-model.js'
import { toFixedReward } from '../learning/sums/fixed-point.js'
import type { LearningOutcome } from '../learning/sums/outcome.js'
import type { LearnedThen } from './decide-otherwise.js'
import { itemsAlong } from './items-along.js'
import { type AskedRecord, interestsOf } from './situation-of-record.js'

/** Time after which what came of a decision counts, and between two models, in milliseconds. */
const LATER_MS = 60_000

/** Half-life of trends, in milliseconds: a day. */
const TREND_HALF_LIFE_MS = 24 * 3_600_000

/** The fields of a decision that are learned from. */
export type LearnedRecord = Pick<DecisionRecord, 'timestamp' | 'contentIds' | 'features' | 'known'>

/** A slot that learns from recorded decisions as they come, and knows of none that came later. */
export interface LearningAlong {
  /** Returns what it has learned by a time, in milliseconds since the epoch. Undefined: nothing yet */
  modelAt(now: number): SlotModel | undefined
  /** Learns from a decision. @param rewards of each content that was shown */
  learn(record: LearnedRecord, rewards: readonly number[], was: CompiledSlot): void
}

/** Another slot while decisions are replayed: what it has learned from those that came before. */
export interface AlongSlot {
  /** @param now milliseconds since the epoch */
  learnedAt(now: number): LearnedThen
  /** Learns from a decision. @param rewards of each content that was shown */
  learn(
    record: LearnedRecord & Pick<AskedRecord, 'anonymousId' | 'userId'>,
    rewards: readonly number[],
    was: CompiledSlot,
  ): void
}

/** Creates it for a slot, of what its policy needs. */
export function followAlong(slot: CompiledSlot, from: number): AlongSlot {
  const { sums, items } = slot.needs.policy
  const learning = sums ? learnAlong(slot, from) : undefined
  const lists = items ? itemsAlong(slot) : undefined
  return {
    learnedAt: now => ({ model: learning?.modelAt(now), ...(lists && { itemsOf: lists.modelOf }) }),
    learn(record, rewards, was) {
      learning?.learn(record, rewards, was)
      lists?.note(record)
    },
  }
}

/**
 * Creates it, for a slot that begins with the first decision. What came of a decision counts a minute later, whenever
 * it came.
 *
 * @param from time of the first decision, in milliseconds since the epoch
 */
export function learnAlong({ needs: { policy } }: CompiledSlot, from: number): LearningAlong {
  const epochs = emptyEpochs(from)
  const dimension = policy.features ? DIMENSION : 0
  const waiting: LearningOutcome[] = []
  let next = 0
  let model: SlotModel | undefined
  return {
    modelAt(now) {
      if (now - (model?.asOf ?? from) < LATER_MS) return model
      const before = next
      advance(epochs, now)
      for (; next < waiting.length && waiting[next]!.at + LATER_MS <= now; next++) addOutcome(epochs, waiting[next]!)
      if (next > before) model = readModel(epochs, { dimension, trendHalfLifeMs: TREND_HALF_LIFE_MS })
      return model
    },
    learn({ timestamp, contentIds, features, known: recorded = {} }, rewards, { contents }) {
      const { tokens, segments = [] } = recorded
      const crossed =
        dimension > 0 && tokens ? crossFacts({ tokens, affinities: interestsOf(features.affinities) }) : undefined
      for (const [index, contentId] of contentIds.entries()) {
        const position = index + 1
        const outcome = {
          contentId,
          at: Date.parse(timestamp),
          position,
          reward: toFixedReward(rewards[index] ?? 0),
          segments,
        }
        const facts = contents.find(({ id }) => id === contentId)?.facts
        waiting.push(
          crossed && facts ? { ...outcome, features: featuresOf(crossed, facts, position, dimension) } : outcome,
        )
      }
    },
  }
}
