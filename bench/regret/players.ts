import {
  addOutcome,
  advance,
  choose,
  crossFacts,
  DIMENSION,
  type Epochs,
  emptyEpochs,
  learningFeaturesOf,
  readModel,
  type SlotModel,
  seededRandom,
  toFixedReward,
} from '@slotstream/core'
import type { PolicySpec } from '@slotstream/protocol'
import type { WorldRequest } from '../simulator/world.js'

/** A policy that chooses in a world, and learns from what it chose. */
export interface Player {
  /** Returns the index of the item to show. */
  choose(request: WorldRequest, n: number): number
  learn(request: WorldRequest, chosen: number, reward: number, n: number): void
}

/** Milliseconds between two requests, and requests between two models: 2 s, as long as a click may take to count. */
const PACE_MS = 100
const MODEL_EVERY = 20
/** Models between two choices of how far back they look. */
const MEMORY_EVERY = 4
/** When worlds begin. */
const BEGIN = Date.UTC(2026, 0, 1)

/** Plays by one of the product's policies, with models that are made every two seconds. */
export function policyPlayer(policy: PolicySpec | undefined, seed: string, dimension = DIMENSION): Player {
  const epochs: Epochs = emptyEpochs(BEGIN)
  let model: SlotModel | undefined
  return {
    choose({ person, context, items }, n) {
      if (n % MODEL_EVERY === 0) {
        advance(epochs, BEGIN + n * PACE_MS)
        const memory = n % (MODEL_EVERY * MEMORY_EVERY) === 0 ? undefined : model?.memory
        const options = { dimension, trendHalfLifeMs: 3_600_000 }
        model = readModel(epochs, memory ? { ...options, memory } : options)
      }
      const input = {
        siteId: 's',
        slotId: 'hero',
        eligible: items,
        person,
        context,
        model,
        count: 1,
        exploration: 0.02,
      }
      const { contentIds } = choose(policy, { ...input, seed: `${seed}\0${n}` })
      return items.findIndex(({ id }) => id === contentIds[0])
    },
    learn({ person, context, items }, chosen, reward, n) {
      const content = items[chosen]!
      const at = BEGIN + n * PACE_MS
      const outcome = { contentId: content.id, at, position: 1, reward: toFixedReward(reward), segments: [] }
      const features =
        dimension > 0 ? learningFeaturesOf(crossFacts({ ...person, context }), content, 1, dimension) : undefined
      addOutcome(epochs, features ? { ...outcome, features } : outcome)
    },
  }
}

/** Plays any item, each as likely as the others. */
export function randomPlayer(seed: string): Player {
  const random = seededRandom(`random\0${seed}`)
  return { choose: ({ items }) => Math.floor(random() * items.length), learn: () => {} }
}

/** Plays the item with the best mean so far, and any with probability ε. New items count as mean ones. */
export function greedyPlayer(seed: string, epsilon = 0.1): Player {
  const random = seededRandom(`greedy\0${seed}`)
  const sums = new Map<string, { n: number; r: number }>()
  let all = { n: 0, r: 0 }
  return {
    choose({ items }) {
      if (random() < epsilon) return Math.floor(random() * items.length)
      const meanOf = (id: string) => {
        const { n, r } = sums.get(id) ?? { n: 0, r: 0 }
        return (r + (all.r + 0.5) / (all.n + 1)) / (n + 1)
      }
      const means = items.map(({ id }) => meanOf(id))
      const best = Math.max(...means)
      const ties = means.flatMap((mean, index) => (mean === best ? [index] : []))
      return ties[Math.floor(random() * ties.length)]!
    },
    learn({ items }, chosen, reward) {
      const { id } = items[chosen]!
      const { n, r } = sums.get(id) ?? { n: 0, r: 0 }
      sums.set(id, { n: n + 1, r: r + reward })
      all = { n: all.n + 1, r: all.r + reward }
    },
  }
}
