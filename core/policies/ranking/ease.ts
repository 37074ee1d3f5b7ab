import { fitEase } from '../../learning/items/fit-ease.js'
import type { Gram } from '../../learning/items/gram.js'
import { type ItemModel, itemModel } from '../../learning/items/item-model.js'
import type { Propose } from '../proposal.js'
import { proposeByItems } from './by-items.js'

/** Fits the model of `ease` (Steck 2019, arXiv 1905.03375). Takes seconds for 2,000 items. */
export function easeModel(gram: Gram): ItemModel {
  return itemModel(gram, fitEase(gram))
}

/** Ranks content by the linear item model EASE: each of the person's items adds what the others do not explain. */
export const proposeByEase: Propose<{ type: 'ease' }> = proposeByItems
