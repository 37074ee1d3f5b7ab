import type { Suspicion } from '../bots/suspicion.js'
import type { PathReader } from '../conditions/condition.js'
import { readKeys, readPath } from '../conditions/read-path.js'

/** What segments are decided by: a person as they are now, and the request. Times are as `isoTime` writes them. */
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
  /** Whether the person seems to be a program. Absent: no */
  suspicion?: Suspicion
}

const FEATURES = 'features.'

/**
 * Reads a path of `SegmentAttributes`. Of `features.NAME.KEY` all that follows NAME is the key, because a category may hold
 * dots.
 */
export const readAttribute: PathReader = path => {
  const feature = featureOf(path)
  if (feature === undefined) return readPath(path)
  const { name, key } = feature
  return readKeys(key === undefined ? ['features', name] : ['features', name, key])
}

/** Returns the feature that a path names, and the key of its value; undefined for other paths. */
export function featureOf(path: string): { name: string; key?: string } | undefined {
  if (!path.startsWith(FEATURES)) return undefined
  const rest = path.slice(FEATURES.length)
  const dot = rest.indexOf('.')
  return dot === -1 ? { name: rest } : { name: rest.slice(0, dot), key: rest.slice(dot + 1) }
}

/** Whether a path of `SegmentAttributes` holds a time. */
export function isAttributeTime(path: string): boolean {
  return path === 'now' || path === 'profile.firstSeen' || path === 'profile.lastSeen'
}
