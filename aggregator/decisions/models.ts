import type { ContentTotal, ItemModel, ItemPolicy, SlotModel } from '@slotstream/core'

/** Models and counts, as decisions read them. */
export interface Models {
  /** Returns the model of a slot; undefined: nothing was learned yet. */
  modelOf(siteId: string, slotId: string): SlotModel | undefined
  /**
   * Returns the matrix of a site's items for a type of policy; undefined: none has been fitted. Default: none
   */
  itemsOf?(siteId: string, type: ItemPolicy): ItemModel | undefined
  /** Returns the counts of a content; undefined: nothing was counted. Default: nothing */
  contentOf?(siteId: string, contentId: string): ContentTotal | undefined
  /** Returns the age of the counts: how long messages may have been missing, in milliseconds. Default 0 */
  contentAgeMs?(): number
}

/** The models of a process that learns nothing. */
export const NO_MODELS: Models = { modelOf: () => undefined }
