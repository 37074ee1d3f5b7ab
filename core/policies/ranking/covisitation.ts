import { fitCovisitation } from '../../learning/items/fit-covisitation.js'
import type { Gram } from '../../learning/items/gram.js'
import { type ItemModel, itemModel } from '../../learning/items/item-model.js'
import type { Propose } from '../proposal.js'
import { proposeByItems } from './by-items.js'

/** Fits the model of `covisitation`. */
export function covisitationModel(gram: Gram): ItemModel {
  return itemModel(gram, fitCovisitation(gram))
}

/** Ranks content by co-visitation: the sum, over the person's items, of the share of browsers with both. */
export const proposeByCovisitation: Propose<{ type: 'covisitation' }> = proposeByItems
