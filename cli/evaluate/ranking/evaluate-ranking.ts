import {
  covisitationModel,
  easeModel,
  type Gram,
  gramOfUsers,
  type ItemModel,
  knnModel,
  MAX_MODEL_ITEMS,
  scoreItems,
} from '@slotstream/core'
import { measureRanking, type RankingMeasures, type UserItems } from './measure.js'
import { compareIds, type Interaction } from './read-interactions.js'
import { createAffinityScores } from './score-affinity.js'
import { type Split, splitLog } from './split.js'

/** How well each policy predicts what users took. */
export interface RankingReport {
  split: Split
  /** Users with items of both parts. */
  users: number
  /** Null: not measured, because categories are missing. */
  policies: Record<'popular' | 'affinity' | 'covisitation' | 'knn' | 'ease', RankingMeasures | null>
}

/** Trains the ranking policies on one part of a log and measures them on the other. */
export function evaluateRanking(
  interactions: readonly Interaction[],
  split: Split,
  categories?: ReadonlyMap<string, readonly string[]>,
): RankingReport {
  const ids = [...new Set(interactions.map(({ item }) => item))].sort(compareIds)
  const numbers = new Map(ids.map((id, index) => [id, index]))
  const { training, users } = partsOf(interactions, splitLog(interactions, split), numbers)
  const { gram, places } = mostFrequent(training, ids)
  const measure = (scoresOf: (seen: readonly number[]) => ArrayLike<number>) =>
    measureRanking(users, ids.length, scoresOf)
  const byItems = (fit: (gram: Gram) => ItemModel) => {
    const model = fit(gram)
    return measure(seen => spread(scoreItems(model, placesOf(seen, places)), places, ids.length))
  }
  const counts = new Float64Array(ids.length)
  for (const items of training) for (const item of items) counts[item] = counts[item]! + 1
  const affinity = categories && measure(createAffinityScores(ids.map(id => categories.get(id) ?? [])))
  return {
    split,
    users: users.length,
    policies: {
      popular: measure(() => counts),
      affinity: affinity ?? null,
      covisitation: byItems(covisitationModel),
      knn: byItems(knnModel),
      ease: byItems(easeModel),
    },
  }
}

/** Sorts lines into what each user trains and tests with. What a user has had cannot be tested. */
function partsOf(interactions: readonly Interaction[], tests: readonly boolean[], numbers: Map<string, number>) {
  const byUser = new Map<string, { seen: Set<number>; tested: Set<number> }>()
  for (const [index, { user, item }] of interactions.entries()) {
    const parts = byUser.get(user) ?? { seen: new Set(), tested: new Set() }
    parts[tests[index] ? 'tested' : 'seen'].add(numbers.get(item)!)
    byUser.set(user, parts)
  }
  const training = [...byUser.values()].map(({ seen }) => [...seen])
  const users: UserItems[] = [...byUser.values()]
    .map(({ seen, tested }) => ({ seen: [...seen], tested: new Set([...tested].filter(item => !seen.has(item))) }))
    .filter(({ seen, tested }) => seen.length > 0 && tested.size > 0)
  return { training, users }
}

/** Counts pairs of the most frequent items, as many as models are fitted for. `places`: their numbers in the model. */
function mostFrequent(training: readonly (readonly number[])[], ids: readonly string[]) {
  const counts = new Array<number>(ids.length).fill(0)
  for (const items of training) for (const item of items) counts[item]!++
  const frequent = [...ids.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, MAX_MODEL_ITEMS)
  const places = new Map(frequent.sort((a, b) => a - b).map((item, place) => [item, place]))
  const names = new Map([...places].map(([item, place]) => [ids[item]!, place]))
  const gram = gramOfUsers(
    training.map(items => placesOf(items, places)),
    names,
  )
  return { gram, places }
}

function placesOf(items: readonly number[], places: ReadonlyMap<number, number>): number[] {
  return items.flatMap(item => places.get(item) ?? [])
}

/** Spreads the scores of the model's items over all items: the others have 0. */
function spread(scores: Float64Array, places: ReadonlyMap<number, number>, items: number): Float64Array {
  const all = new Float64Array(items)
  for (const [item, place] of places) all[item] = scores[place]!
  return all
}
