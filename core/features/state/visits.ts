import type { FeatureCell, FeatureStates, StoredMessage, Visit } from '@slotstream/protocol'
import { compareTexts } from '../../compare-texts.js'
import { PAUSE_MS, sessionIdOf } from '../../profile/sessions.js'
import type { Sample } from '../aggregates/aggregate.js'
import type { Features, Rule } from '../feature.js'
import { addToCell, isNothing, valueIn } from './add-message.js'
import { mergeCells } from './merge-cells.js'
import { mergePairs, putValue, valueAt } from './pairs.js'

/** Sessions older than this are kept as a number and a sum, in milliseconds. */
const KEPT_MS = 30 * 24 * 3_600_000

/** Sessions that are kept, at most. A visitor has as many within 30 days only if it is a program. */
export const MAX_VISITS = 100

/**
 * Returns the sessions after a message. A message that names its session extends it. The others are joined to intervals
 * without a pause of half an hour, so that one that comes late may join two.
 *
 * @param rules those of features of the session
 */
export function addVisit(
  visits: Visit[],
  past: FeatureStates['past'],
  message: StoredMessage,
  sample: Sample,
  features: Features,
  rules: readonly Rule[],
): Pick<FeatureStates, 'visits' | 'past'> {
  const { at } = sample
  const id = sessionIdOf(message) ?? ''
  const running = visits.at(-1)
  // Nearly every message goes on with the latest session.
  if (running && at >= running[1] && isSame(running, id, at)) {
    const next = visits.slice()
    next[next.length - 1] = [
      id,
      running[1],
      Math.max(running[2], at),
      running[3] + 1,
      addToSession(running[4], message, sample, rules),
    ]
    return bounded(next, past)
  }
  let visit: Visit = [id, at, at, 1, addToSession([], message, sample, rules)]
  const others: Visit[] = []
  for (const other of visits) {
    if (isSame(other, id, at)) visit = joined(other, visit, features)
    else others.push(other)
  }
  return bounded([...others, visit].sort(byStart), past)
}

/** Returns what features of sessions hold of a session after a message. */
function addToSession(before: Visit[4], message: StoredMessage, sample: Sample, rules: readonly Rule[]): Visit[4] {
  let cells: Visit[4] | undefined
  for (const { feature, weight } of rules) {
    if (feature.matches && !feature.matches(message)) continue
    const value = valueIn(message, feature)
    if (isNothing(value, feature)) continue
    const cellBefore = valueAt<FeatureCell>(cells ?? before, feature.version)
    const cell = addToCell(cellBefore, feature, weight, value, message, sample)
    if (cell === undefined) continue
    sample.additions++
    cells ??= before.slice()
    putValue(cells, feature.version, cell)
  }
  return cells ?? before
}

function isSame([id, startedAt, endedAt]: Visit, named: string, at: number): boolean {
  if (named !== id) return false
  return id !== '' || (at >= startedAt - PAUSE_MS && at <= endedAt + PAUSE_MS)
}

/** Returns two intervals of one session as one. */
export function joined(a: Visit, b: Visit, features: Features): Visit {
  const cells = b[4].length === 0 ? a[4] : mergePairs<FeatureCell>(a[4], b[4], mergeVersions)
  return [a[0], Math.min(a[1], b[1]), Math.max(a[2], b[2]), a[3] + b[3], cells as Visit[4]]

  function mergeVersions(x: FeatureCell, y: FeatureCell, version: string): FeatureCell {
    const feature = features.byVersion.get(version)
    return feature ? mergeCells(x, y, feature) : x
  }
}

/**
 * Returns the sessions of two visitors as those of one: what both name is one session, and so are intervals that touch.
 */
export function mergeVisits(a: readonly Visit[], b: readonly Visit[], features: Features): Visit[] {
  const merged: Visit[] = []
  for (const visit of [...a, ...b].sort(byStart)) {
    const same = merged.findIndex(other =>
      visit[0] === '' ? other[0] === '' && visit[1] <= other[2] + PAUSE_MS : other[0] === visit[0],
    )
    if (same < 0) merged.push(visit)
    else merged[same] = joined(merged[same]!, visit, features)
  }
  return merged
}

/** Compares two sessions by start, then by id. */
function byStart(a: Visit, b: Visit): number {
  return a[1] - b[1] || compareTexts(a[0], b[0])
}

/** Returns sessions without the oldest ones, which are added to a number and a sum. */
export function bounded(
  visits: Visit[],
  past: FeatureStates['past'],
  most = MAX_VISITS,
): Pick<FeatureStates, 'visits' | 'past'> {
  let latest = 0
  for (const [, , endedAt] of visits) latest = Math.max(latest, endedAt)
  let firstKept = Math.max(0, visits.length - most)
  while (visits[firstKept]![2] < latest - KEPT_MS) firstKept++
  if (firstKept === 0) return { visits, past }
  const ms = visits.slice(0, firstKept).reduce((sum, [, startedAt, endedAt]) => sum + endedAt - startedAt, 0)
  return { visits: visits.slice(firstKept), past: [past[0] + firstKept, past[1] + ms] }
}
