import type { SlotModel } from '@slotstream/core'
import type { ModelNews } from './thread/messages.js'
import { unpackModel } from './thread/packed-model.js'

/** A slot's model, and which one it is. */
export interface VersionedModel {
  model: SlotModel
  /** Changes with each model of the slot. */
  version: string
  /** When it was made, in milliseconds since the epoch. */
  at: number
}

/** Models of slots, as decisions read them. */
export interface Models {
  /** Returns the model of a slot; undefined: nothing has been learned yet. */
  modelOf(siteId: string, slotId: string): SlotModel | undefined
  /** Returns the same with its version. */
  versionedModelOf(siteId: string, slotId: string): VersionedModel | undefined
}

/** Models in memory, which are replaced as new ones are made. */
export interface ModelSet extends Models {
  put(news: ModelNews): void
  readonly size: number
}

/** Creates an empty set of models. */
export function createModelSet(): ModelSet {
  const sites = new Map<string, Map<string, VersionedModel>>()
  let size = 0
  const versionedModelOf = (siteId: string, slotId: string) => sites.get(siteId)?.get(slotId)
  return {
    versionedModelOf,
    modelOf: (siteId, slotId) => versionedModelOf(siteId, slotId)?.model,
    put({ siteId, slotId, model, version, at }) {
      const slots = sites.get(siteId) ?? new Map<string, VersionedModel>()
      size -= slots.size
      if (model) slots.set(slotId, { model: unpackModel(model), version, at })
      else slots.delete(slotId)
      size += slots.size
      if (slots.size > 0) sites.set(siteId, slots)
      else sites.delete(siteId)
    },
    get size() {
      return size
    },
  }
}
