import {
  type DeclaredFeature,
  type FeatureDefinition,
  hash32,
  isFeatureOff,
  parseDuration,
  type StoredMessage,
} from '@slotstream/protocol'
import type { Aggregate } from './aggregates/aggregate.js'
import { AGGREGATE_BY_NAME } from './aggregates/aggregates.js'
import type { BuiltInFeature } from './built-in.js'
import type { EventRule, Feature, Features } from './feature.js'
import { contentFeatures, indexFeatures } from './index-features.js'
import { compileEntries } from './input/read-entries.js'
import { compilePath } from './input/read-path.js'
import { slidingWindow, type Window } from './state/windows.js'

/** Most keys of a feature where its definition does not say. */
export const DEFAULT_KEYS = 100

/** Compiles a condition over messages. */
export type CompileWhere = (where: object) => (message: StoredMessage) => boolean

/**
 * Compiles the features of a site. A declared feature takes the place of the built-in one of its name; `off` removes
 * it.
 *
 * @param definitions checked ones, see `checkFeatures`
 * @param revision of the definitions. That of the features is the latest one of all
 * @param addedIn revision in which each definition came, by name; default: this one. Of a built-in feature that is in
 * effect again: since when
 * @param since revision in which built-in features came, by name. Default: they were there from the start
 */
export function compileFeatures(
  builtIn: readonly BuiltInFeature[],
  definitions: readonly DeclaredFeature[],
  compileWhere: CompileWhere,
  revision = 0,
  addedIn: Readonly<Record<string, number>> = {},
  since: Readonly<Record<string, number>> = {},
): Features {
  const byName = new Map<string, Feature>()
  const rules: EventRule[] = []
  const declared = new Set(definitions.map(({ name }) => name))
  const ofContent = { byName: new Map<string, Feature>(), rules: [] as EventRule[] }
  const add = (definition: BuiltInFeature, origin: Pick<Feature, 'addedIn' | 'isBuiltIn'>) => {
    const feature = compileFeature(definition, compileWhere, origin)
    const into = definition.entity === 'content' ? ofContent : { byName, rules }
    into.byName.set(feature.name, feature)
    for (const [event, weight] of weightsOf(definition)) into.rules.push([event, { feature, weight }])
  }
  for (const definition of builtIn) {
    const { name } = definition
    if (declared.has(name)) continue
    add(definition, { addedIn: Math.max(addedIn[name] ?? 0, since[name] ?? 0), isBuiltIn: true })
  }
  for (const definition of definitions)
    if (!isFeatureOff(definition)) add(definition, { addedIn: addedIn[definition.name] ?? revision, isBuiltIn: false })
  const latest = Math.max(revision, ...Object.values(since))
  return indexFeatures(latest, byName, rules, undefined, contentFeatures(ofContent.byName, ofContent.rules))
}

function compileFeature(
  definition: BuiltInFeature,
  compileWhere: CompileWhere,
  origin: Pick<Feature, 'addedIn' | 'isBuiltIn'>,
): Feature {
  const { name, source, by, keys = DEFAULT_KEYS } = definition
  const value = pathOfValue(definition)
  const readEntries = value !== undefined && by !== undefined ? compileEntries(by, value) : undefined
  // The same fields in the same order for all: to read those of objects that differ takes several times as long.
  return {
    name,
    version: versionOfFeature(definition),
    aggregate: AGGREGATE_BY_NAME[definition.aggregate] as Aggregate,
    window: windowOf(definition),
    matches: source.where && compileWhere(source.where),
    readValue: value === undefined ? undefined : compilePath(value),
    readKeys: by === undefined ? undefined : compilePath(by),
    readEntries,
    keys,
    addedIn: origin.addedIn,
    isBuiltIn: origin.isBuiltIn,
  }
}

/** Returns the path of a feature's value; undefined where the value is 1. */
export function pathOfValue({ value }: Pick<FeatureDefinition, 'value'>): string | undefined {
  return value === 1 ? undefined : value
}

/**
 * Returns the version of a feature: equal definitions have the same one, whatever is said about them and whether pages
 * may read them. States are kept under it.
 */
export function versionOfFeature({ description: _text, public: _readers, ...definition }: BuiltInFeature): string {
  const text = JSON.stringify(sorted({ ...definition, value: pathOfValue(definition) }))
  return hash32(text).toString(36) + hash32(`v${text}`).toString(36)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => [key, sorted(entry)])
}

function weightsOf({ source }: Pick<FeatureDefinition, 'source'>): [event: string, weight: number][] {
  return 'events' in source ? Object.entries(source.events) : [[source.event, 1]]
}

/** Returns the time that a feature looks at. */
export function windowOf({ window = 'lifetime', halfLife, tumbling, entity }: BuiltInFeature): Window {
  if (halfLife !== undefined) return { kind: 'decay', ms: durationOf(halfLife) }
  if (window === 'session' || entity === 'session') return { kind: 'session' }
  if (window === 'lifetime') return { kind: 'lifetime' }
  const ms = durationOf(window)
  return tumbling ? { kind: 'tumbling', ms } : slidingWindow(ms)
}

/** Parses a duration that was checked: see `checkFeatures`. */
function durationOf(text: string): number {
  return parseDuration(text) ?? Number.NaN
}
