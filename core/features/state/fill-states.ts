import type { FeatureCell, FeatureStates, Visit } from '@slotstream/protocol'
import type { Feature, Features } from '../feature.js'
import { countsFrom, keepVersions } from './cuts.js'
import { mergeCells, mergeFeature } from './merge-cells.js'
import { heldOf } from './nothing.js'
import { putValue, valueAt } from './pairs.js'

/** The history that features of a site are filled from: messages of a partition, by their stream sequence. */
export interface HistoryFill {
  /** The features of the site. */
  features: Features
  /** Those of them that are filled, see `featuresAfter`. */
  counted: Features
  /** Sequence before the first message that the streams still have; 0: they have all there ever were. */
  from: number
  /** Last sequence: what comes later is counted as it comes. */
  through: number
}

/**
 * Returns the sequence up to which the history of a feature is to be counted for a browser whose states may count
 * already what comes after it; undefined: they lack nothing that the streams have.
 *
 * @param states states of the browser itself
 * @param last sequence of the browser's last message up to `through`; 0: there is none
 */
export function historyLacking(
  states: FeatureStates,
  { version, addedIn }: Feature,
  { from, through }: HistoryFill,
  last: number,
): number | undefined {
  if (addedIn <= states.born) return undefined
  const since = countsFrom(states, version)
  if (since === undefined) return through
  if (since <= from) return undefined
  // Where there is no message between both, the whole history is the same. It is what was counted first.
  return since >= through || last <= since ? through : since
}

/**
 * Returns states with the history of a feature before what they count already. `states` is not changed.
 *
 * @param history what was counted of it; undefined: nothing
 * @param counts whether they count the feature from some message on. If not, what they have of it is counted again
 * @param since position after which they count it then; 0: all messages
 */
export function withHistory(
  states: FeatureStates,
  feature: Feature,
  history: FeatureStates | undefined,
  { counts, since }: { counts: boolean; since: number },
): FeatureStates {
  const { version } = feature
  const { narrowed } = states
  const remaining = counts ? states : keepVersions(states, other => other !== version)
  const before = narrowed ? { ...remaining, narrowed } : remaining
  const [state, earlier] = [before.of[version], history?.of[version]]
  const visits = withSessions(before.visits, history?.visits ?? [], feature)
  if (!state && !earlier) return { ...before, visits }
  const cellOrSlots = state && earlier ? mergeFeature(state, earlier, feature)[1] : (state ?? earlier)![1]
  return { ...before, visits, of: { ...before.of, [version]: [since, cellOrSlots] } }
}

/** Returns states that have counted all messages for the features of a revision. */
export function asComplete(states: FeatureStates, revision: number): FeatureStates {
  const filledByVersion = Object.fromEntries(
    Object.entries(states.of).filter(([, state]) => heldOf(state) !== undefined),
  )
  return { ...states, born: revision, of: filledByVersion }
}

/** Returns whether a fill leaves out no feature that a browser's own states may lack history of. */
export function fillsAll({ born }: FeatureStates, { features, counted }: HistoryFill): boolean {
  for (const [version, { addedIn }] of features.byVersion)
    if (addedIn > born && !counted.byVersion.has(version)) return false
  return true
}

/** Returns sessions with what a feature counted before. Sessions that are kept as a sum only are left out. */
function withSessions(visits: Visit[], before: readonly Visit[], feature: Feature): Visit[] {
  if (feature.window.kind !== 'session') return visits
  const { version } = feature
  const filled = visits.slice()
  for (const visit of before) {
    const cell = valueAt<FeatureCell>(visit[4], version)
    const place = cell === undefined ? -1 : visits.findIndex(other => isPartOf(visit, other))
    if (cell === undefined || place < 0) continue
    const [id, startedAt, endedAt, messages, cells] = filled[place]!
    const existing = valueAt<FeatureCell>(cells, version)
    const next = cells.slice()
    putValue(next, version, existing === undefined ? cell : mergeCells(existing, cell, feature))
    filled[place] = [id, startedAt, endedAt, messages, next]
  }
  return filled
}

/** Returns whether an interval is of a session of which another interval has more messages. */
function isPartOf([id, startedAt, endedAt]: Visit, other: Visit): boolean {
  return id === other[0] && (id !== '' || (startedAt >= other[1] && endedAt <= other[2]))
}
