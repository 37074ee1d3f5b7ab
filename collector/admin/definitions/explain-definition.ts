import {
  type BuiltInDefinitions,
  type DetectorExplanation,
  explainDetector,
  explainFeature,
  explainPattern,
  explainSegment,
  type FeatureExplanation,
  type PatternExplanation,
  type SegmentExplanation,
} from '@slotstream/core'
import {
  type DeclaredPattern,
  type DefinitionKind,
  isFeatureOff,
  type PatternDefinition,
  SIGNALS,
} from '@slotstream/protocol'
import type { DefinitionStore } from './definition-store.js'
import type { ReadFilledTo } from './filled-to.js'

/** How one of a site's definitions is evaluated. */
export type Explanation = (FeatureExplanation | PatternExplanation | DetectorExplanation | SegmentExplanation) & {
  /** Absent: the site declares it. */
  builtin?: true
  /** The history of the feature is being counted. */
  filling?: true
}

/**
 * Explains a definition that is in effect: one that the site declares, or a built-in one that it neither overrides nor
 * switches off. Undefined: there is none of the name.
 */
export async function explainDefinition(
  { store, builtIn, readFilledTo }: { store: DefinitionStore; builtIn: BuiltInDefinitions; readFilledTo: ReadFilledTo },
  siteId: string,
  kind: DefinitionKind,
  name: string,
): Promise<Explanation | undefined> {
  if (kind === 'segments') {
    const [{ items: segments }, { items: patterns }] = await Promise.all([
      store.read(siteId, 'segments'),
      store.read(siteId, 'patterns'),
    ])
    const segment = segments.find(item => item.name === name)
    return segment && explainSegment(segment, { segments, patterns: inEffect(patterns, builtIn.patterns) })
  }
  if (kind === 'features') {
    const { items, revision, addedIn = {} } = await store.read(siteId, kind)
    const declared = items.find(item => item.name === name)
    if (declared && isFeatureOff(declared)) return undefined
    const feature = declared ?? builtIn.features.find(item => item.name === name)
    if (!feature) return undefined
    const since = declared
      ? (addedIn[name] ?? revision)
      : Math.max(addedIn[name] ?? 0, (await store.readBuiltIn())[name] ?? 0)
    const filledTo = await readFilledTo(siteId)
    // Of a site that declares nothing it is noted once it was filled: one that came later has nothing to be filled.
    const isFilling = since > filledTo && (revision > 0 || filledTo > 0)
    return { ...explainFeature(feature), ...(!declared && { builtin: true }), ...(isFilling && { filling: true }) }
  }
  const declared = (await store.read(siteId, kind)).items.find(item => item.name === name)
  if (declared) return 'off' in declared ? undefined : explainPattern(declared)
  const pattern = builtIn.patterns.find(item => item.name === name)
  if (pattern) return { ...explainPattern(pattern), builtin: true }
  const detector = SIGNALS.find(signal => signal === name)
  return detector && { ...explainDetector(detector), builtin: true }
}

/** Returns the patterns that a site has: its own, and the built-in ones that it neither overrides nor switches off. */
function inEffect(declared: readonly DeclaredPattern[], builtIn: readonly PatternDefinition[]): PatternDefinition[] {
  const names = new Set(declared.map(({ name }) => name))
  return [...declared.flatMap(item => ('off' in item ? [] : item)), ...builtIn.filter(({ name }) => !names.has(name))]
}
