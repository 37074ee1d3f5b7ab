import type { DecisionTest } from '@slotstream/protocol'

/**
 * Tells in a line each which contents a decision test forbids or allows that there are not: where an id is misspelt,
 * the test passes whatever is shown.
 *
 * @param contentIds of the catalog
 */
export function missingContents({ expect }: DecisionTest, contentIds: ReadonlySet<string>): string[] {
  const { never = [], anyOf = [] } = expect
  const lines: string[] = []
  for (const [field, ids] of Object.entries({ never, anyOf }))
    for (const id of ids) if (!contentIds.has(id)) lines.push(`${field} ${id}: there is no such content`)
  return lines
}
