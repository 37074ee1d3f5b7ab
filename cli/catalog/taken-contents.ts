import { contentsOfSlot } from '@slotstream/core'
import type { Catalog } from './catalog-folder.js'

/** Most contents that a line names. */
const MOST_NAMED = 5

/**
 * Returns one line for each slot with `candidates` that takes other contents than before: a change of a price, say, is
 * one of the slots that ask for it, too.
 */
export function changesOfTaken(before: Catalog, after: Catalog): string[] {
  return after.slots.flatMap(slot => {
    const was = before.slots.find(({ id }) => id === slot.id)
    if (!slot.candidates && !was?.candidates) return []
    const [first, last] = [was ? idsIn(before, was) : [], idsIn(after, slot)]
    const [added, removed] = [without(last, first), without(first, last)]
    if (added.length + removed.length === 0) return []
    const parts = [
      ...(added.length > 0 ? [`takes ${named(added)}`] : []),
      ...(removed.length > 0 ? [`no longer takes ${named(removed)}`] : []),
    ]
    return [`> slot ${slot.id} ${parts.join(', ')}`]
  })
}

function idsIn({ content }: Catalog, slot: Catalog['slots'][number]): string[] {
  return contentsOfSlot(slot, content).map(({ id }) => id)
}

function without(ids: readonly string[], others: readonly string[]): string[] {
  const left = new Set(others)
  return ids.filter(id => !left.has(id))
}

function named(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
