import { fitCovisitation } from '../../learning/items/fit-covisitation.js'
import type { Gram } from '../../learning/items/gram.js'
import { type ItemModel, itemModel } from '../../learning/items/item-model.js'
import type { Propose } from '../proposal.js'
import { proposeByItems } from './by-items.js'

/** Fits the model of `covisitation`. */
export function covisitationModel(gram: Gram): ItemModel {
  return itemModel(gram, fitCovisitation(gram))
}

/** Ranks content by how many of those with each of the person's items have it, too, as shares that add up. */
export const proposeByCovisitation: Propose<{ type: 'covisitation' }> = proposeByItems
