import type { CompiledSlot } from '../catalog/compile-slot.js'
import { itemPoliciesOf } from '../catalog/policy-needs.js'
import { fitLists } from '../evaluate/target/fit-items.js'
import type { ItemModel } from '../learning/items/item-model.js'
import type { ItemPolicy } from '../policies/proposal.js'
import type { AskedRecord } from './situation-of-record.js'

/** Persons with items, at least, of a first matrix, and by how much more there are at each further one. */
const FIRST = 50
const GROWTH = 1.5

/** Matrices of items that are fitted from recorded decisions as they come, and know of none that came later. */
export interface ItemsAlong {
  /** Returns the matrix of a policy; undefined: none is fitted yet. */
  modelOf(type: ItemPolicy): ItemModel | undefined
  /** Takes what a person had to do with by a decision: the latest list of each counts. */
  note(record: Pick<AskedRecord, 'anonymousId' | 'userId' | 'known'>): void
}

/** Creates it, for a slot whose policy ranks by matrices of items. */
export function itemsAlong({ slot }: CompiledSlot): ItemsAlong {
  const types = itemPoliciesOf(slot.policy)
  const lists = new Map<string, readonly string[]>()
  let next = FIRST
  let modelOf: (type: ItemPolicy) => ItemModel | undefined = () => undefined
  return {
    modelOf: type => modelOf(type),
    note({ anonymousId, userId, known: recorded }) {
      const items = recorded?.items ?? []
      if (items.length === 0) return
      lists.set(anonymousId || `user ${userId ?? ''}`, items)
      if (lists.size < next) return
      modelOf = fitLists([...lists.values()], types)
      next = Math.ceil(lists.size * GROWTH)
    },
  }
}
