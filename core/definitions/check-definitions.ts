import {
  type DeclaredFeature,
  type DeclaredPattern,
  type DefinitionKind,
  type Definitions,
  isFeatureOff,
  isObject,
  SIGNALS,
  shownFaults,
} from '@slotstream/protocol'
import { compileMessageCondition } from '../conditions/compile-message-condition.js'
import type { BuiltInFeature } from '../features/built-in.js'
import { CONTENT_CLICK_RATE } from '../features/content/built-in-content.js'
import { compilePatterns } from '../patterns/compile.js'
import { compileSegments } from '../segments/compile-segments.js'
import { isOfNumbers } from '../segments/number-trouble.js'
import { unknownName, type Vocabulary } from '../segments/vocabulary.js'
import { BUILT_IN, type BuiltInDefinitions } from './built-in.js'
import { publicFaults } from './public-features.js'

/**
 * Most regular expressions in the conditions of a set: each keeps up to 8 MB of what it has seen of texts, in every
 * process that evaluates them.
 */
export const MAX_SET_EXPRESSIONS = 50

/**
 * Checks what a set means among the site's other sets: conditions that can't be used, names of features, segments and
 * signals that there are not, segments that depend on themselves.
 *
 * @param definitions of the site, the set among them; the form of all of them was checked
 * @param builtIn what every site has. Default: what this version has
 * @returns one line for each fault, naming the field by its path
 */
export function definitionFaults(
  kind: DefinitionKind,
  definitions: Definitions,
  builtIn: BuiltInDefinitions = BUILT_IN,
): string[] {
  const expressions = countExpressions(definitions[kind])
  if (expressions > MAX_SET_EXPRESSIONS)
    return [`${kind}: has ${expressions} regular expressions, ${MAX_SET_EXPRESSIONS} are allowed in a set`]
  const { features, patterns, segments } = definitions
  if (kind === 'features')
    return shownFaults([
      ...offFaults(kind, features, builtIn.features),
      ...contentFaults(features),
      ...features.flatMap(featureFaults),
      ...publicFaults(features),
    ])
  if (kind === 'patterns')
    return shownFaults([...offFaults(kind, patterns, builtIn.patterns), ...faultsOf(compilePatterns(patterns))])
  const names = namesInUse(definitions, builtIn)
  return shownFaults(faultsOf(compileSegments(segments, names.features, names.signals, names.numbers)))
}

/** Returns the names that conditions may use: declared ones, and built-in ones that are not switched off. */
export function namesInUse(
  { features, patterns, segments }: Definitions,
  builtIn: BuiltInDefinitions = BUILT_IN,
): Required<Vocabulary> {
  return {
    features: featureNamesOf(features, builtIn.features, isOfPerson),
    contentFeatures: contentNamesOf(features, builtIn.features),
    numbers: featureNamesOf(features, builtIn.features, isNumeric),
    segments: segments.map(({ name }) => name),
    signals: [...SIGNALS, ...namesOf(patterns, builtIn.patterns)],
  }
}

/** Returns whether persons have a feature: conditions over persons cannot name a feature of content. */
function isOfPerson(feature: DeclaredFeature | BuiltInFeature): boolean {
  return !('entity' in feature) || feature.entity !== 'content'
}

function isNumeric(feature: DeclaredFeature | BuiltInFeature): boolean {
  return 'aggregate' in feature && isOfNumbers(feature)
}

function isOfContent(feature: DeclaredFeature | BuiltInFeature): boolean {
  return !isOfPerson(feature)
}

/** Features of content, and the rate that is made of two of them where both are there. */
function contentNamesOf(features: readonly DeclaredFeature[], builtIn: BuiltInDefinitions['features']): string[] {
  const names = featureNamesOf(features, builtIn, isOfContent)
  const { name: rate, clicks, views } = CONTENT_CLICK_RATE
  const isTaken = features.some(feature => feature.name === rate)
  const hasRate = names.includes(clicks) && names.includes(views) && !isTaken
  return hasRate ? [...names, rate] : names
}

/**
 * Names of features of one kind: a declared one of the other kind takes the place of the built-in one of its name, too.
 */
function featureNamesOf(
  declared: readonly DeclaredFeature[],
  builtIn: BuiltInDefinitions['features'],
  isWanted: (feature: DeclaredFeature | BuiltInFeature) => boolean,
): string[] {
  const replaced = new Set(declared.map(({ name }) => name))
  const switchedOn = declared.filter(feature => !isFeatureOff(feature))
  return [...builtIn.filter(({ name }) => !replaced.has(name)), ...switchedOn].filter(isWanted).map(({ name }) => name)
}

function faultsOf(compiled: { ok: true } | { ok: false; faults: string[] }): string[] {
  return compiled.ok ? [] : compiled.faults
}

/** Counts the regular expressions in conditions, wherever they are in a value. */
export function countExpressions(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, entry) => sum + countExpressions(entry), 0)
  if (!isObject(value)) return 0
  return Object.entries(value).reduce(
    (sum, [key, entry]) => sum + (key === '$regex' || key === '$regexi' ? 1 : 0) + countExpressions(entry),
    0,
  )
}

/** Most features of content that a site declares: one message adds to all of them. */
export const MAX_CONTENT_FEATURES = 20

function contentFaults(features: readonly DeclaredFeature[]): string[] {
  const count = features.filter(feature => !isOfPerson(feature)).length
  return count > MAX_CONTENT_FEATURES
    ? [`features: ${count} are of content, ${MAX_CONTENT_FEATURES} are allowed in a set`]
    : []
}

function featureFaults(feature: DeclaredFeature, index: number): string[] {
  if (isFeatureOff(feature)) return []
  const { source, entity, window, halfLife } = feature
  const faults: string[] = []
  const path = `features[${index}]`
  if (entity === 'session' && window !== undefined && window !== 'session')
    faults.push(`${path}.window: a feature of the session looks at all of it: leave window out, or entity for a window`)
  if (entity === 'session' && halfLife !== undefined)
    faults.push(`${path}.halfLife: a feature of the session looks at all of it: leave out halfLife or entity`)
  if (source.where === undefined) return faults
  return [...faults, ...faultsOf(compileMessageCondition(source.where, `${path}.source.where`))]
}

/** Lists entries that switch a definition off which this version does not have. */
function offFaults(
  kind: 'features' | 'patterns',
  declared: readonly (DeclaredFeature | DeclaredPattern)[],
  builtIn: readonly { name: string }[],
): string[] {
  const names = builtIn.map(({ name }) => name)
  return declared.flatMap((entry, index) =>
    'off' in entry && !names.includes(entry.name)
      ? [`${kind}[${index}].name: ${unknownName(`built-in ${kind.slice(0, -1)}`, entry.name, names)}`]
      : [],
  )
}

/** Names that are in use: the declared ones, and the built-in ones that are not switched off. */
function namesOf(declared: readonly DeclaredPattern[], builtIn: readonly { name: string }[]): string[] {
  const off = new Set(declared.filter(entry => 'off' in entry).map(({ name }) => name))
  return [...new Set([...builtIn, ...declared].map(({ name }) => name))].filter(name => !off.has(name))
}
