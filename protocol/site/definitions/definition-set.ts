import { byteLength } from '../../wire/byte-length.js'
import { isObject } from '../../wire/checks/is-object.js'
import { featureFaults } from './check-feature.js'
import { patternFaults } from './check-pattern.js'
import { segmentFaults } from './check-segment.js'
import { type DefinitionCheck, shown, shownFaults } from './faults.js'
import type { DeclaredFeature } from './features.js'
import { isDefinitionName } from './name.js'
import type { DeclaredPattern } from './patterns.js'
import type { SegmentDefinition } from './segments.js'

/** Definitions that an administrator declares about a site's profiles. */
export interface Definitions {
  features: DeclaredFeature[]
  patterns: DeclaredPattern[]
  segments: SegmentDefinition[]
}

export type DefinitionKind = keyof Definitions

export const DEFINITION_KINDS: readonly DefinitionKind[] = ['features', 'patterns', 'segments']

/** Most definitions of a site, by kind. */
export const MAX_DEFINITIONS: Record<DefinitionKind, number> = { features: 200, patterns: 100, segments: 200 }

/** Largest set, in bytes of its JSON text. */
export const MAX_DEFINITION_BYTES = 256 * 1024

/** A site's definitions of one kind. They change as a whole. */
export interface DefinitionSet<Kind extends DefinitionKind = DefinitionKind> {
  /** Grows with each change of the set; 0 where there never was one. */
  revision: number
  /** When it was stored, ISO 8601; '' where there never was one. */
  at: string
  items: Definitions[Kind]
  /**
   * By name, the least revision that has the definition as it is: profiles that began under an earlier one have not
   * counted all of their messages in it. Absent: all came with this revision.
   */
  addedIn?: Record<string, number>
}

/** The set of a site that has none. */
export const NO_DEFINITIONS: { revision: number; at: string; items: never[] } = { revision: 0, at: '', items: [] }

/**
 * Checks the form of a set that is uploaded, and its limits: one line for each fault, naming the field by its path. All
 * is checked but the conditions, and names of other definitions in them.
 */
export function checkDefinitionForm<Kind extends DefinitionKind>(
  kind: Kind,
  raw: unknown,
): DefinitionCheck<Definitions[Kind]> {
  const checked = parseDefinitions(kind, raw)
  if (!checked.ok) return checked
  const bytes = byteLength(JSON.stringify(raw))
  return bytes <= MAX_DEFINITION_BYTES
    ? checked
    : { ok: false, faults: [`${kind}: has ${bytes} bytes, ${MAX_DEFINITION_BYTES} are allowed`] }
}

/** Checks the form of a set as the bucket has it, whatever its size. */
export function parseDefinitions<Kind extends DefinitionKind>(
  kind: Kind,
  raw: unknown,
): DefinitionCheck<Definitions[Kind]> {
  const most = MAX_DEFINITIONS[kind]
  if (!Array.isArray(raw)) return { ok: false, faults: [`${kind}: must be a list, not ${shown(raw)}`] }
  if (raw.length > most) return { ok: false, faults: [`${kind}: has ${raw.length} entries, ${most} are allowed`] }
  const faults = raw.flatMap((item, index) => FAULTS[kind](item, `${kind}[${index}]`))
  faults.push(...duplicates(kind, raw))
  return faults.length > 0 ? { ok: false, faults: shownFaults(faults) } : { ok: true, value: raw as Definitions[Kind] }
}

/** Checks of one entry, by kind. */
const FAULTS: Record<DefinitionKind, (raw: unknown, path: string) => string[]> = {
  features: featureFaults,
  patterns: patternFaults,
  segments: segmentFaults,
}

function duplicates(kind: string, items: readonly unknown[]): string[] {
  const first = new Map<string, number>()
  return items.flatMap((item, index) => {
    const name = isObject(item) ? item.name : undefined
    if (!isDefinitionName(name)) return []
    const before = first.get(name)
    if (before === undefined) first.set(name, index)
    return before === undefined ? [] : [`${kind}[${index}].name: "${name}" is the name of ${kind}[${before}], too`]
  })
}
