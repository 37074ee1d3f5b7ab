import {
  DEFINITION_KINDS,
  type DefinitionKind,
  type Definitions,
  parseDefinitions,
} from '../site/definitions/definition-set.js'
import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isAbsentOr, isCount, isSiteId, misfit } from '../wire/checks/parse-stored.js'

/** A value of the bucket `definitions`: a set as it is stored. Its revision and its time are those of the entry. */
export interface StoredDefinitions<Kind extends DefinitionKind> {
  items: Definitions[Kind]
  /** See `DefinitionSet`. Absent: all came with this revision. */
  addedIn?: Record<string, number>
}

/** Returns the key of a site's set in the bucket `definitions`. */
export function definitionsKey(siteId: string, kind: DefinitionKind): string {
  return `${siteId}.${kind}`
}

/** Returns what a key of the bucket `definitions` names; undefined for any other key. */
export function parseDefinitionsKey(key: string): { siteId: string; kind: DefinitionKind } | undefined {
  const [siteId, kind, ...more] = key.split('.')
  const isKey = isSiteId(siteId) && DEFINITION_KINDS.includes(kind as DefinitionKind) && more.length === 0
  return isKey ? { siteId, kind: kind as DefinitionKind } : undefined
}

/** Parses a value of the bucket `definitions`. */
export function parseStoredDefinitions<Kind extends DefinitionKind>(
  kind: Kind,
  raw: unknown,
): Check<StoredDefinitions<Kind>> {
  if (!isObject(raw)) return misfit('a set of definitions must be a JSON object')
  const { items, addedIn } = raw
  if (!isAbsentOr(addedIn, revisions => isObject(revisions) && Object.values(revisions).every(isCount)))
    return misfit('addedIn is no object of revisions')
  const parsed = parseDefinitions(kind, items)
  if (!parsed.ok) return misfit(parsed.faults[0] ?? 'it has faults')
  return {
    ok: true,
    value: { items: parsed.value, ...(addedIn !== undefined && { addedIn: addedIn as Record<string, number> }) },
  }
}
