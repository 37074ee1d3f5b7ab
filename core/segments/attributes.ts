import type { Suspicion } from '../bots/suspicion.js'
import type { PathReader } from '../conditions/condition.js'
import { readKeys, readPath } from '../conditions/read-path.js'

/**
 * The attributes that segments are decided by: the person's current ones, and the request's. Times are as `isoTime`
 * writes them.
 */
export interface SegmentAttributes {
  /** Values by name of the feature: a scalar, a list, or an object by key. */
  features: Readonly<Record<string, unknown>>
  /** Names of the segments that the person is in. `segmentsOf` and `changesOf` put theirs in its place. */
  segments: readonly string[]
  /** Names of recent signals. */
  signals: readonly string[]
  traits: Readonly<Record<string, unknown>>
  context: Readonly<Record<string, unknown>>
  now: string
  profile: { firstSeen: string; lastSeen: string; sessions: number; events: number }
  /** Evidence that the person is a program. Absent: none */
  suspicion?: Suspicion
  /** The content that is asked about, in conditions of content and campaigns. Absent: none */
  content?: { features: Readonly<Record<string, unknown>> }
}

const FEATURES = 'features.'
const CONTENT_FEATURES = 'content.features.'

/** A feature that a path names, and the key of its value. */
export interface NamedFeature {
  name: string
  key?: string
}

/**
 * Reads a path of `SegmentAttributes`. Of `features.NAME.KEY` all that follows NAME is the key, because a category may
 * hold dots; so it is of `content.features.NAME.KEY`.
 */
export const readAttribute: PathReader = path => {
  const [feature, contentFeature] = [featureOf(path), contentFeatureOf(path)]
  if (feature) return readKeys(['features', ...keysOf(feature)])
  return contentFeature ? readKeys(['content', 'features', ...keysOf(contentFeature)]) : readPath(path)
}

/** Returns the person's feature that a path names; undefined for other paths. */
export function featureOf(path: string): NamedFeature | undefined {
  return featureBehind(FEATURES, path)
}

/** Returns the feature of content that a path names; undefined for other paths. */
export function contentFeatureOf(path: string): NamedFeature | undefined {
  return featureBehind(CONTENT_FEATURES, path)
}

/** Returns the names of the features of content that paths name, each once. */
export function contentFeaturesOf(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap(path => contentFeatureOf(path)?.name ?? []))]
}

function keysOf({ name, key }: NamedFeature): string[] {
  return key === undefined ? [name] : [name, key]
}

function featureBehind(root: string, path: string): NamedFeature | undefined {
  if (!path.startsWith(root)) return undefined
  const rest = path.slice(root.length)
  const dot = rest.indexOf('.')
  return dot === -1 ? { name: rest } : { name: rest.slice(0, dot), key: rest.slice(dot + 1) }
}

/** Returns whether a path of `SegmentAttributes` holds a time. */
export function isAttributeTime(path: string): boolean {
  return path === 'now' || path === 'profile.firstSeen' || path === 'profile.lastSeen'
}
