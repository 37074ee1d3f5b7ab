import type { Content, ExperimentArm, Slot } from '@slotstream/protocol'
import { takerOf } from './candidates.js'
import { slotVersion } from './slot-version.js'

/** Returns a slot with the policy of an arm, and the contents that it chooses from. Default: no arm, the slot's own */
export function slotOfArm(
  slot: Slot,
  contents: ReadonlyMap<string, Content>,
  arm?: ExperimentArm,
): [Slot, Iterable<Content>] {
  const { policy = slot.policy, contentIds } = arm ?? {}
  const listed = contentIds?.flatMap(id => contents.get(id) ?? [])
  return [{ ...slot, ...(policy && { policy }) }, listed ?? contents.values()]
}

/** Returns the contents that a slot takes, sorted by id. */
export function contentsOfSlot(slot: Slot, all: Iterable<Content>): Content[] {
  return inOrder([...all].filter(takerOf(slot)))
}

/** Sorts contents by id, so that the same catalog draws the same content whatever order it was stored in. */
export function inOrder(contents: Iterable<Content>): Content[] {
  return [...contents].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Returns the `policyVersion` that decisions of a slot record, and the ids of its contents in the order of records. */
export function recordedVersion(
  slot: Slot,
  contents: ReadonlyMap<string, Content>,
  arm?: ExperimentArm,
): { policyVersion: string; contentIds: string[] } {
  const [chosen, all] = slotOfArm(slot, contents, arm)
  const ofSlot = contentsOfSlot(chosen, all)
  return { policyVersion: slotVersion(chosen, ofSlot), contentIds: ofSlot.map(({ id }) => id) }
}
