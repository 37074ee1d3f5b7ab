import { isStepEnd, takerOf, toEnd } from '@slotstream/core'
import type { Content, Slot } from '@slotstream/protocol'

/** The contents that each slot takes. Each pair is evaluated once, not each time that a slot is compiled. */
export interface SlotMembers {
  /** Returns the contents that a slot takes, of all contents of its site. Cached until `forget`. */
  of(slot: Slot, all: Iterable<Content>): Iterable<Content>
  /** Returns them by id, in steps, between which contents may change. */
  finding(slot: Slot, all: Iterable<Content>): Generator<void, ReadonlyMap<string, Content>>
  /** Notes that a content has changed. Returns the ids of the slots that took it, or take it. */
  change(before: Content | undefined, after: Content | undefined): string[]
  /** Drops the contents of a slot, which has changed. */
  forget(slotId: string): void
}

interface MembersOfSlot {
  takes: (content: Content) => boolean
  contents: Map<string, Content>
  /** Whether all contents of the site have been asked. */
  isWhole: boolean
}

/** Creates the members of the slots of one site. */
export function createSlotMembers(): SlotMembers {
  const bySlot = new Map<string, MembersOfSlot>()

  function* finding(slot: Slot, all: Iterable<Content>): Generator<void, ReadonlyMap<string, Content>> {
    const before = bySlot.get(slot.id)
    if (before?.isWhole) return before.contents
    const members: MembersOfSlot = { takes: takerOf(slot), contents: new Map(), isWhole: false }
    // At once: what changes between two steps is noted.
    bySlot.set(slot.id, members)
    let place = 0
    for (const content of all) {
      if (isStepEnd(place++)) yield
      if (members.takes(content)) members.contents.set(content.id, content)
    }
    members.isWhole = true
    return members.contents
  }

  return {
    of: (slot, all) => toEnd(finding(slot, all)).values(),
    finding,
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
