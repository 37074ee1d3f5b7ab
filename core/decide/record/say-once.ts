import type { DecisionRecord, Excluded } from '@slotstream/protocol'

/**
 * Leaves out a detail that is that of the content before, excluded for the same reason: it is most of what a list says.
 */
export function sayOnce(excluded: readonly Excluded[]): Excluded[] {
  return excluded.map((item, index) => {
    const before = excluded[index - 1]
    if (item.detail === undefined || item.reason !== before?.reason || item.detail !== before.detail) return item
    return { contentId: item.contentId, reason: item.reason }
  })
}

/** Returns the excluded content of a record, each with its detail: what `sayOnce` left out is there again. */
export function withDetails({ excluded, draw }: Pick<DecisionRecord, 'excluded' | 'draw'>): Excluded[] {
  // Earlier forms, and imported records, say all that they know.
  if (draw?.version === undefined) return excluded
  let before: Excluded | undefined
  return excluded.map(item => {
    const detail = item.detail ?? (item.reason === before?.reason ? before.detail : undefined)
    before = detail === undefined ? item : { ...item, detail }
    return before
  })
}
