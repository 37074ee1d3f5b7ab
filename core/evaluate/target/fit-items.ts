import { addToGram, emptyGram, MAX_MODEL_ITEMS } from '../../learning/items/gram.js'
import type { ItemModel } from '../../learning/items/item-model.js'
import type { ItemPolicy } from '../../policies/proposal.js'
import { covisitationModel } from '../../policies/ranking/covisitation.js'
import { easeModel } from '../../policies/ranking/ease.js'
import { knnModel } from '../../policies/ranking/knn.js'
import type { DecisionLog, RowRange } from '../decision-log.js'

const FITS = { covisitation: covisitationModel, knn: knnModel, ease: easeModel } as const

/**
 * Fits the matrix of a policy from the items that persons of a log's rows had, each list once, for the most frequent
 * items.
 *
 * @param types of policies that are asked for
 */
export function fitItems(
  { situation, situations }: DecisionLog,
  { from, to }: RowRange,
  types: readonly ItemPolicy[],
): (type: ItemPolicy) => ItemModel | undefined {
  const lists = new Map<string, readonly string[]>()
  for (let row = from; row < to; row++) {
    const { items = [] } = situations[situation[row]!]!.known ?? {}
    if (items.length > 0) lists.set([...items].sort().join('\0'), items)
  }
  return fitLists([...lists.values()], types)
}

/** Fits the matrices of policies from lists of items, for the most frequent items. */
export function fitLists(
  lists: readonly (readonly string[])[],
  types: readonly ItemPolicy[],
): (type: ItemPolicy) => ItemModel | undefined {
  const counts = new Map<string, number>()
  for (const items of lists) for (const item of new Set(items)) counts.set(item, (counts.get(item) ?? 0) + 1)
  const frequent = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, MAX_MODEL_ITEMS)
  const ids = new Map(frequent.map(([id], index) => [id, index]))
  const gram = emptyGram(ids)
  for (const items of lists)
    addToGram(
      gram,
      [...new Set(items)].flatMap(item => ids.get(item) ?? []),
    )
  const models = new Map(types.map(type => [type, FITS[type](gram)]))
  return type => models.get(type)
}
