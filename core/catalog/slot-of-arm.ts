import type { Content, ExperimentArm, Slot } from '@slotstream/protocol'
import { takerOf } from './candidates.js'
import { slotVersion } from './slot-version.js'
import { isStepEnd } from './steps.js'

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
  return [...contents].sort(byId)
}

/**
 * Sorts contents as `inOrder` does, in steps, between which other work can run.
 *
 * @param contents by id
 * @param before contents in order, by which nothing is sorted where they have the same ids. Default: none
 */
export function* ordering(
  contents: ReadonlyMap<string, Content>,
  before: readonly { id: string }[] = [],
): Generator<void, Content[]> {
  const asBefore = before.length === contents.size ? yield* finding(contents, before) : undefined
  if (asBefore) return asBefore
  const all = [...contents.values()]
  let runs: Content[][] = []
  for (let first = 0; first < all.length; first += SORTED_A_STEP) {
    if (first > 0) yield
    runs.push(all.slice(first, first + SORTED_A_STEP).sort(byId))
  }
  while (runs.length > 1) {
    const longer: Content[][] = []
    for (let at = 0; at < runs.length; at += 2) longer.push(yield* merging(runs[at]!, runs[at + 1] ?? []))
    runs = longer
  }
  return runs[0] ?? []
}

const SORTED_A_STEP = 500

/** Returns the contents of these ids; undefined where there is none of an id. */
function* finding(
  contents: ReadonlyMap<string, Content>,
  ids: readonly { id: string }[],
): Generator<void, Content[] | undefined> {
  const inOrderOfIds: Content[] = []
  for (const [place, { id }] of ids.entries()) {
    if (isStepEnd(place)) yield
    const content = contents.get(id)
    if (!content) return undefined
    inOrderOfIds.push(content)
  }
  return inOrderOfIds
}

function* merging(first: readonly Content[], second: readonly Content[]): Generator<void, Content[]> {
  const merged: Content[] = []
  let [firstAt, secondAt] = [0, 0]
  while (firstAt < first.length && secondAt < second.length) {
    if (isStepEnd(merged.length)) yield
    merged.push(byId(first[firstAt]!, second[secondAt]!) < 0 ? first[firstAt++]! : second[secondAt++]!)
  }
  return merged.concat(first.slice(firstAt), second.slice(secondAt))
}

function byId(a: Content, b: Content): number {
  return a.id < b.id ? -1 : 1
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
