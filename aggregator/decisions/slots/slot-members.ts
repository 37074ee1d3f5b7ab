import { takerOf } from '@slotstream/core'
import type { Content, Slot } from '@slotstream/protocol'

/** The contents that each slot takes. Each pair is evaluated once, not each time that a slot is compiled. */
export interface SlotMembers {
  /** Returns the contents that a slot takes, of all contents of its site. Cached until `forget`. */
  of(slot: Slot, all: Iterable<Content>): Iterable<Content>
  /** Notes that a content has changed. Returns the ids of the slots that took it, or take it. */
  change(before: Content | undefined, after: Content | undefined): string[]
  /** Drops the contents of a slot, which has changed. */
  forget(slotId: string): void
}

/** Creates the members of the slots of one site. */
export function createSlotMembers(): SlotMembers {
  const bySlot = new Map<string, { takes: (content: Content) => boolean; contents: Map<string, Content> }>()

  return {
    of(slot, all) {
      const before = bySlot.get(slot.id)
      if (before) return before.contents.values()
      const takes = takerOf(slot)
      const contents = new Map<string, Content>()
      for (const content of all) if (takes(content)) contents.set(content.id, content)
      bySlot.set(slot.id, { takes, contents })
      return contents.values()
    },
    change(before, after) {
      const changed: string[] = []
      for (const [slotId, { takes, contents }] of bySlot) {
        const wasIn = before !== undefined && contents.delete(before.id)
        const isIn = after !== undefined && takes(after)
        if (isIn) contents.set(after.id, after)
        if (wasIn || isIn) changed.push(slotId)
      }
      return changed
    },
    forget(slotId) {
      bySlot.delete(slotId)
    },
  }
}
