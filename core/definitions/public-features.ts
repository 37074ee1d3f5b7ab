import {
  byteLength,
  COLLECTOR_PAGE_PATHS,
  COLLECTOR_PATHS,
  type DeclaredFeature,
  type FeatureDefinition,
  isFeatureOff,
} from '@slotstream/protocol'
import { compileMessageCondition } from '../conditions/compile-message-condition.js'
import { createCompiler } from '../conditions/compiler.js'
import { ANY_EVENT } from '../conditions/event-name.js'
import type { BuiltInFeature } from '../features/built-in.js'
import { pathOfValue } from '../features/compile.js'
import { BUILT_IN } from './built-in.js'

/** Most bytes of a site's public features as JSON: pages load them. */
export const MAX_PUBLIC_BYTES = 32 * 1024

/**
 * Paths whose values come from several places of a message, one of which is the collector's; with what to write
 * instead.
 */
const DERIVED: Record<string, string> = {
  'product.category': 'reads the catalog, too, which browsers do not have: write properties.category',
}

/**
 * Returns the features that pages may count: what is declared as public, and of the built-in ones what is neither
 * replaced nor switched off.
 */
export function publicFeatures(
  declared: readonly DeclaredFeature[],
  builtIn: readonly BuiltInFeature[] = BUILT_IN.features,
): BuiltInFeature[] {
  const names = new Set(declared.map(({ name }) => name))
  const all = [...builtIn.filter(({ name }) => !names.has(name)), ...declared.filter(isDefinition)]
  return all.flatMap(({ description: _text, public: isPublic, ...definition }) => (isPublic ? [definition] : []))
}

/** Returns one line for each fault of what a site declares as public, naming the field by its path. */
export function publicFaults(features: readonly DeclaredFeature[]): string[] {
  const faults = features.flatMap((feature, index) =>
    isDefinition(feature) && feature.public
      ? troublesOf(feature).map(trouble => `features[${index}].public: ${trouble}`)
      : [],
  )
  const bytes = byteLength(JSON.stringify(publicFeatures(features)))
  if (bytes > MAX_PUBLIC_BYTES)
    faults.push(`features: those that are public have ${bytes} bytes, ${MAX_PUBLIC_BYTES} are allowed`)
  return faults
}

function isDefinition(feature: DeclaredFeature): feature is FeatureDefinition {
  return !isFeatureOff(feature)
}

const compileWithoutPatterns = createCompiler()

/** Lists why a browser can't count a feature as the servers do. */
function troublesOf(feature: FeatureDefinition): string[] {
  const { source, by } = feature
  const value = pathOfValue(feature)
  const troubles: string[] = []
  const { where } = source
  if (where !== undefined) {
    const compiled = compileMessageCondition(where)
    // Other faults are told without it.
    if (!compiled.ok) return []
    const inBrowser = compileWithoutPatterns(where, { path: 'source.where' })
    if (!inBrowser.ok) troubles.push(...inBrowser.faults)
    for (const path of compiled.value.paths) troubles.push(...pathTroubles('source.where', path, source))
  }
  if (value !== undefined) troubles.push(...pathTroubles('value', value, source))
  if (by !== undefined) troubles.push(...pathTroubles('by', by, source))
  return troubles
}

function pathTroubles(field: string, path: string, source: FeatureDefinition['source']): string[] {
  const derived = DERIVED[path]
  if (derived) return [`${field}: ${path} ${derived}`]
  const unknown = isOfPages(source) ? [...COLLECTOR_PATHS, ...COLLECTOR_PAGE_PATHS] : COLLECTOR_PATHS
  const collectorPath = unknown.find(
    other => path === other || path.startsWith(`${other}.`) || other.startsWith(`${path}.`),
  )
  return collectorPath === undefined
    ? []
    : [`${field}: ${collectorPath} is set by the collector, so browsers do not know it`]
}

/** Returns whether page views are among the messages that a feature looks at. */
function isOfPages(source: FeatureDefinition['source']): boolean {
  const events = 'events' in source ? Object.keys(source.events) : [source.event]
  return events.includes('page') || events.includes(ANY_EVENT)
}
