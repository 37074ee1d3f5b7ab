import type { FeatureSlots, FeatureStates, Members } from '@slotstream/protocol'
import { AGGREGATE_BY_NAME } from '../../features/aggregates/aggregates.js'
import type { Feature, Features } from '../../features/feature.js'
import { runningSession } from '../../features/state/session-value.js'
import { featureValues } from '../../features/state/values.js'
import { firstSlotAt, HALF_LIVES } from '../../features/state/windows.js'
import { PAUSE_MS } from '../../profile/sessions.js'
import { type CompiledSegments, featuresOf } from '../compile-segments.js'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Time between two evaluations of segments over the present time, in milliseconds. */
const NOW_MS = 10 * MINUTE_MS

/** Share of a half-life, and of the time since a message, after which a segment over it is looked at again. */
const PART_OF_HALF_LIFE = 1 / 60
const PART_OF_AGE = 1 / 20

/**
 * Returns when the segments of a person may change without a message, in milliseconds since the epoch; undefined:
 * never. Members may leave when what their segments count falls out of its window. Others may enter only segments over
 * the time since a message, or over the present time.
 *
 * @param states of the person's features
 */
export function nextSegmentChange(
  compiled: CompiledSegments,
  members: Members,
  features: Features,
  states: FeatureStates,
  at: number,
): number | undefined {
  const { names, readsNow } = readsOf(compiled, members, features)
  let next = readsNow ? at + NOW_MS : Number.POSITIVE_INFINITY
  for (const name of names) {
    const feature = features.byName.get(name)
    if (feature) next = Math.min(next, nextOfFeature(feature, features, states, at))
  }
  return next === Number.POSITIVE_INFINITY ? undefined : Math.max(next, at + 1)
}

/** Returns the reads that may change: all of a member's segments, and of the others those that grow with time. */
function readsOf(
  compiled: CompiledSegments,
  members: Members,
  features: Features,
): { names: Iterable<string>; readsNow: boolean } {
  const isMember = new Set(members.map(([name]) => name))
  const paths: string[] = []
  for (const { name, where, leaveWhere } of compiled.segments)
    if (isMember.has(name)) paths.push(...where.paths, ...(leaveWhere?.paths ?? []))
  // A segment over other segments may read anything.
  const ofMembers = paths.includes('segments') ? compiled.features : featuresOf(paths)
  const growing = compiled.features.filter(name => isSince(features.byName.get(name)))
  return { names: new Set([...ofMembers, ...growing]), readsNow: compiled.paths.includes('now') }
}

function isSince(feature: Feature | undefined): boolean {
  const { sinceFirst, sinceLast } = AGGREGATE_BY_NAME
  return feature?.aggregate === sinceFirst || feature?.aggregate === sinceLast
}

function nextOfFeature(feature: Feature, features: Features, states: FeatureStates, at: number): number {
  const { window } = feature
  const ofWindow = nextOfWindow(feature, features, states, at)
  if (!isSince(feature) || (window.kind !== 'lifetime' && ofWindow === Number.POSITIVE_INFINITY)) return ofWindow
  const { value } = featureValues(states, features, at, [feature.name]).get(feature.name)!
  // Nothing was seen, and so nothing grows.
  if (value === null) return ofWindow
  const step = typeof value === 'number' ? value * PART_OF_AGE : 0
  return Math.min(ofWindow, at + Math.min(DAY_MS, Math.max(MINUTE_MS, step)))
}

/** Returns when what a feature counts falls out of its window; infinity: never. */
function nextOfWindow(feature: Feature, features: Features, states: FeatureStates, at: number): number {
  const { window, version } = feature
  if (window.kind === 'lifetime') return Number.POSITIVE_INFINITY
  if (window.kind === 'session') {
    const session = runningSession(states, features, at)
    return session ? session[2] + PAUSE_MS + 1 : Number.POSITIVE_INFINITY
  }
  const slots = (states.of[version]?.[1] ?? []) as FeatureSlots
  const last = slots.at(-2) as number | undefined
  if (last === undefined) return Number.POSITIVE_INFINITY
  if (window.kind === 'decay') {
    const isForgotten = last < Math.floor(at / window.ms) - HALF_LIVES
    return isForgotten ? Number.POSITIVE_INFINITY : at + window.ms * PART_OF_HALF_LIFE
  }
  const first = firstSlotAt(window, at)
  if (last < first) return Number.POSITIVE_INFINITY
  if (window.kind === 'tumbling') return (first + 1) * window.ms
  for (let place = 0; ; place += 2) {
    const slot = slots[place] as number
    if (slot >= first) return (slot + 1) * window.tile + window.ms
  }
}
