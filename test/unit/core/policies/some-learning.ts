import { addOutcome, advance, type Epochs, emptyEpochs } from '#core/learning/epochs/epochs.js'
import { crossFacts, featuresOf } from '#core/learning/features/cross.js'
import { readModel, type SlotModel } from '#core/learning/model/slot-model.js'
import { toFixedReward } from '#core/learning/sums/fixed-point.js'
import type { EligibleContent, PersonFacts, ProposalInput } from '#core/policies/proposal.js'

export const BEGIN = Date.UTC(2026, 0, 1)
export const CONTENTS: EligibleContent[] = ['shoes', 'shoes', 'hats', 'bags', 'toys'].map((category, index) => ({
  id: `${category}${index}`,
  category,
  weight: index,
}))

/** Half of the features that the product has, which makes models five times as fast: these worlds are small. */
const DIMENSION = 128

/** An input of policies, with what a test changes. */
export function inputOf(fields: Partial<ProposalInput> = {}): ProposalInput {
  const person: PersonFacts = { personId: 'anna' }
  const common = {
    siteId: 'shop',
    slotId: 'hero',
    eligible: CONTENTS,
    person,
    context: {},
    count: 1,
    exploration: 0.02,
  }
  return { ...common, seed: 's', ...fields }
}

/** A slot that learns from what is shown, one decision every `paceMs`. */
export interface LearningSlot {
  epochs: Epochs
  /** Makes a new model, as of now: how far back it looks is chosen every fourth time. */
  read(): SlotModel
  learn(
    input: Pick<ProposalInput, 'person' | 'context'>,
    content: EligibleContent,
    reward: number,
    position?: number,
  ): void
}

export function createLearningSlot(paceMs = 1_000): LearningSlot {
  const epochs = emptyEpochs(BEGIN)
  let now = BEGIN
  let reads = 0
  let memory: SlotModel['memory'] | undefined
  return {
    epochs,
    read() {
      advance(epochs, now)
      const options = { dimension: DIMENSION, trendHalfLifeMs: 3_600_000 }
      const model = readModel(epochs, memory && reads++ % 4 !== 0 ? { ...options, memory } : options)
      memory = model.memory
      return model
    },
    learn({ person, context }, content, reward, position = 1) {
      now += paceMs
      const features = featuresOf(crossFacts({ ...person, context }), content, position, DIMENSION)
      const segments = person.segments ?? []
      addOutcome(epochs, {
        contentId: content.id,
        at: now,
        position,
        reward: toFixedReward(reward),
        segments,
        features,
      })
    },
  }
}
