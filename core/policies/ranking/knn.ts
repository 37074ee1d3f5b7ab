import { fitKnn } from '../../learning/items/fit-knn.js'
import type { Gram } from '../../learning/items/gram.js'
import { type ItemModel, itemModel } from '../../learning/items/item-model.js'
import type { Propose } from '../proposal.js'
import { proposeByItems } from './by-items.js'

/** Fits the model of `knn`. */
export function knnModel(gram: Gram): ItemModel {
  return itemModel(gram, fitKnn(gram))
}

/** Ranks content by its similarity to the person's items, as far as these are among its nearest neighbours. */
export const proposeByNeighbours: Propose<{ type: 'knn' }> = proposeByItems
