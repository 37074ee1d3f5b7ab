import type { FeatureStates, Visit } from '@slotstream/protocol'
import type { Features } from '../feature.js'
import { NOTHING } from './nothing.js'

/** The states of a browser's features: its own, and those of its users by `userId`. */
export interface BrowserStates {
  ofBrowser: FeatureStates
  byUser: ReadonlyMap<string, FeatureStates>
}

/** Features that states were cut for last: most messages meet the same ones again. */
const cutFor = new WeakMap<FeatureStates['of'], Features>()

/** Notes that states go on from ones that were cut for the features. */
export function noteCut(states: FeatureStates, features: Features): void {
  if (states.born !== features.revision) cutFor.set(states.of, features)
}

/**
 * Returns the position from which a browser counts a version that was declared after its states began; undefined: it
 * has not begun to.
 */
export function countsFrom(states: FeatureStates, version: string): number | undefined {
  return states.of[version]?.[0] || undefined
}

/**
 * Returns states ready for the next message:
 *
 * - Versions that the site no longer has are left out. They do not count the message, and must not go on as if they had
 *   when they are declared again.
 * - Features that were declared after the states began get an entry with the position from which they count. It stands
 *   in the browser's own states and is the same for all its users, so that these can be merged.
 *
 * States that count all messages for what the site has now need neither.
 *
 * @param seq stream sequence of the last message before
 */
export function cutStates({ ofBrowser, byUser }: BrowserStates, features: Features, seq: number): BrowserStates {
  if (ofBrowser.born === features.revision || cutFor.get(ofBrowser.of) === features) return { ofBrowser, byUser }
  const born = Math.min(ofBrowser.born, features.revision)
  const isKept = (version: string) => features.byVersion.has(version)
  const late = new Set<string>()
  for (const [version, { addedIn }] of features.byVersion)
    if (addedIn > born && countsFrom(ofBrowser, version) === undefined) late.add(version)
  // What there is of one that was declared before as well is counted again with all the rest: it may have missed some.
  const isOfBefore = (version: string) => isKept(version) && !late.has(version)
  const remaining = keepVersions(ofBrowser, isOfBefore)
  const cut = { ...remaining, born, of: { ...remaining.of } }
  for (const version of late) cut.of[version] = [seq, NOTHING]
  cutFor.set(cut.of, features)
  const users = [...byUser].map(([userId, states]) => [userId, { ...keepVersions(states, isOfBefore), born }] as const)
  return { ofBrowser: cut, byUser: new Map(users) }
}

/** Returns states without the versions that are not wanted. */
export function keepVersions(states: FeatureStates, isWanted: (version: string) => boolean): FeatureStates {
  const { of: byVersion, visits, narrowed } = states
  return {
    ...states,
    ...(narrowed && { narrowed: { ...narrowed, of: only(narrowed.of, isWanted) } }),
    of: only(byVersion, isWanted),
    visits: visits.map(visit => withoutCells(visit, isWanted)),
  }
}

function only<Value>(byVersion: Record<string, Value>, isWanted: (version: string) => boolean): Record<string, Value> {
  return Object.keys(byVersion).every(isWanted)
    ? byVersion
    : Object.fromEntries(Object.entries(byVersion).filter(([version]) => isWanted(version)))
}

function withoutCells(visit: Visit, isWanted: (version: string) => boolean): Visit {
  const [id, startedAt, endedAt, messages, cells] = visit
  const keptCells: Visit[4] = []
  for (let place = 0; place < cells.length; place += 2)
    if (isWanted(cells[place] as string)) keptCells.push(cells[place]!, cells[place + 1]!)
  return keptCells.length === cells.length ? visit : [id, startedAt, endedAt, messages, keptCells]
}

/**
 * Returns the positions from which features of a browser count, where that is not the first message, as empty states.
 */
export function cutsOf(states: FeatureStates): FeatureStates | undefined {
  const late = Object.entries(states.of).filter(([, [since]]) => since > 0)
  if (late.length === 0) return undefined
  const cutsByVersion = Object.fromEntries(
    late.map(([version, [since]]) => [version, [since, NOTHING] as [number, []]]),
  )
  return { born: states.born, at: 0, of: cutsByVersion, visits: [], past: [0, 0] }
}
