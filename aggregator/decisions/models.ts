import type { ContentTotal, ItemModel, ItemPolicy, SlotModel } from '@slotstream/core'

/** What has been learned, as decisions read it. */
export interface Models {
  /** Returns what a slot has learned; undefined: nothing yet. */
  modelOf(siteId: string, slotId: string): SlotModel | undefined
  /**
   * Returns the matrix of a site's items that a policy ranks by; undefined: none has been fitted. Default: there is
   * none
   */
  itemsOf?(siteId: string, type: ItemPolicy): ItemModel | undefined
  /** Returns what was counted of a content; undefined: nothing. Default: nothing was */
  contentOf?(siteId: string, contentId: string): ContentTotal | undefined
  /** Returns for how long what was counted of content may have lacked messages, in milliseconds. Default 0 */
  contentAgeMs?(): number
}

/** The models of a process that learns nothing. */
export const NO_MODELS: Models = { modelOf: () => undefined }
