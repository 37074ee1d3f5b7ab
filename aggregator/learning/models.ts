import type { SlotModel } from '@slotstream/core'
import type { ModelNews } from './thread/messages.js'
import { unpackModel } from './thread/packed-model.js'

/** Models of slots, as decisions read them. */
export interface Models {
  /** Returns the model of a slot; undefined: nothing has been learned yet. */
  modelOf(siteId: string, slotId: string): SlotModel | undefined
}

/** Models in memory, which are replaced as new ones are fitted. */
export interface ModelSet extends Models {
  /** Replaces or removes the model of a slot. */
  put(news: Pick<ModelNews, 'siteId' | 'slotId' | 'model' | 'keepsLinear'>): void
  /** Number of slots with a model. */
  readonly size: number
}

/** Creates an empty set of models. */
export function createModelSet(): ModelSet {
  const sites = new Map<string, Map<string, SlotModel>>()
  let size = 0
  return {
    modelOf: (siteId, slotId) => sites.get(siteId)?.get(slotId),
    put({ siteId, slotId, model: packed, keepsLinear }) {
      const slots = sites.get(siteId) ?? new Map<string, SlotModel>()
      size -= slots.size
      if (packed) {
        const model = unpackModel(packed)
        const before = keepsLinear ? slots.get(slotId)?.linear : undefined
        if (before) model.linear = before
        slots.set(slotId, model)
      } else slots.delete(slotId)
      size += slots.size
      if (slots.size > 0) sites.set(siteId, slots)
      else sites.delete(siteId)
    },
    get size() {
      return size
    },
  }
}
