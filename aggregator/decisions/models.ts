import type { ItemModel, SlotModel } from '@slotstream/core'
import type { LearningPolicy } from '@slotstream/protocol'

/** What has been learned, as decisions read it. */
export interface Models {
  /** Returns what a slot has learned; undefined: nothing yet. */
  modelOf(siteId: string, slotId: string): SlotModel | undefined
  /** Returns the matrix of a site's items that a policy ranks by; undefined: none has been fitted. Default: there is none */
  itemsOf?(siteId: string, type: ItemPolicy): ItemModel | undefined
}

/** Policies that rank by a matrix of items. */
export type ItemPolicy = Extract<LearningPolicy['type'], 'covisitation' | 'knn' | 'ease'>

/** The models of a process that learns nothing. */
export const NO_MODELS: Models = { modelOf: () => undefined }
