import { allIdsOf, type Person } from '@slotstream/protocol'
import type { PersonTable } from './places.js'

/**
 * Leaves out the ids of other people from a row that several had part in: of the lists of ids only the person's stay.
 * Pure.
 */
export function withoutOthers(
  row: Record<string, unknown>,
  { columns }: Pick<PersonTable, 'columns'>,
  person: Person,
): Record<string, unknown> {
  const theirs = new Set(allIdsOf(person))
  const shown = { ...row }
  for (const column of [columns.userId, columns.previousId])
    if (column !== undefined && Array.isArray(shown[column])) shown[column] = shown[column].filter(id => theirs.has(id))
  return shown
}
