import type { DecisionRecord, Excluded } from '@slotstream/protocol'

/**
 * Leaves out details that equal the one of the content before, if the reason is the same: they are most of the size of
 * a list. `withDetails` puts them back.
 */
export function sayOnce(excluded: readonly Excluded[]): Excluded[] {
  return excluded.map((item, index) => {
    const before = excluded[index - 1]
    if (item.detail === undefined || item.reason !== before?.reason || item.detail !== before.detail) return item
    return { contentId: item.contentId, reason: item.reason }
  })
}

/** Returns the excluded content of a record with the details that `sayOnce` left out. */
export function withDetails({ excluded, draw }: Pick<DecisionRecord, 'excluded' | 'draw'>): Excluded[] {
  // Records of earlier versions, and imported ones, have all details.
  if (draw?.version === undefined) return excluded
  let before: Excluded | undefined
  return excluded.map(item => {
    const detail = item.detail ?? (item.reason === before?.reason ? before.detail : undefined)
    before = detail === undefined ? item : { ...item, detail }
    return before
  })
}
