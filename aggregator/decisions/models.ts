import type { ItemModel, ItemPolicy, SlotModel } from '@slotstream/core'

/** What has been learned, as decisions read it. */
export interface Models {
  /** Returns what a slot has learned; undefined: nothing yet. */
  modelOf(siteId: string, slotId: string): SlotModel | undefined
  /** Returns the matrix of a site's items that a policy ranks by; undefined: none has been fitted. Default: there is none */
  itemsOf?(siteId: string, type: ItemPolicy): ItemModel | undefined
}

/** The models of a process that learns nothing. */
export const NO_MODELS: Models = { modelOf: () => undefined }
