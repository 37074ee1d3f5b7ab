import type { FeatureCell, FeatureState, FeatureStates, Narrowed, Visit } from '@slotstream/protocol'
import type { Features } from '../feature.js'
import { heldOf, NOTHING } from '../state/nothing.js'
import { bounded, MAX_VISITS } from '../state/visits.js'
import { narrowCell, narrowHeld } from './narrow-held.js'
import { halvingsOfSession, NOTHING_LEFT, ONE_VISIT } from './share-left.js'

/** Halvings after which sessions hold no features. */
export const NO_SESSION_FEATURES = ONE_VISIT + NOTHING_LEFT

/** Returns what was left out of one of two states, or of both; undefined: nothing. */
export function eitherNarrowed(a: Narrowed | undefined, b: Narrowed | undefined): Narrowed | undefined {
  if (!a || !b || a === b) return a ?? b
  const byVersion = { ...a.of }
  for (const [version, halvings] of Object.entries(b.of))
    byVersion[version] = Math.max(halvings, byVersion[version] ?? 0)
  return { step: Math.max(a.step, b.step), visits: Math.max(a.visits, b.visits), of: byVersion }
}

/** States and sessions that were narrowed, by how often: most messages leave nearly all of them as they are. */
const narrowedBy = new WeakMap<FeatureState | Visit, number>()

/** Returns states without what `narrowed` leaves out. They are not changed. */
export function narrowStates(states: FeatureStates, narrowed: Narrowed, features: Features): FeatureStates {
  const left: FeatureStates['of'] = { ...states.of }
  for (const [version, halvings] of Object.entries(narrowed.of)) {
    const [state, feature] = [states.of[version], features.byVersion.get(version)]
    if (!state || !feature || narrowedBy.get(state) === halvings) continue
    const narrow = narrowState(state, narrowHeld(heldOf(state), feature, halvings))
    if (narrow) {
      narrowedBy.set(narrow, halvings)
      left[version] = narrow
    } else delete left[version]
  }
  return { ...states, of: left, ...narrowVisits(states, narrowed.visits, features), narrowed }
}

/** Returns a state that holds what is left; undefined: nothing is, and it says nothing either. */
export function narrowState(state: FeatureState, left: FeatureState[1] | undefined): FeatureState | undefined {
  if (left !== undefined) return left === state[1] ? state : [state[0], left]
  // From where it counts is known by its entry alone.
  if (state[0] === 0) return undefined
  return heldOf(state) === undefined ? state : [state[0], NOTHING]
}

/** Returns the sessions that are left after so many halvings, the latest; the others as a number and a sum. */
export function narrowVisits(
  { visits, past }: Pick<FeatureStates, 'visits' | 'past'>,
  halvings: number,
  features: Features,
): Pick<FeatureStates, 'visits' | 'past'> {
  if (halvings === 0 || visits.length === 0) return { visits, past }
  const latest = bounded(visits, past, Math.max(1, MAX_VISITS >> halvings))
  const halvingsOfCells = halvingsOfSession({ visits: halvings })
  if (halvingsOfCells === 0) return latest
  return { ...latest, visits: latest.visits.map(visit => narrowVisit(visit, halvingsOfCells, features)) }
}

function narrowVisit(visit: Visit, halvings: number, features: Features): Visit {
  if (narrowedBy.get(visit) === halvings) return visit
  const [id, startedAt, endedAt, messages, cells] = visit
  const left: Visit[4] = []
  let isAll = true
  for (let place = 0; place < cells.length; place += 2) {
    const version = cells[place] as string
    const feature = features.byVersion.get(version)
    const cell = cells[place + 1] as FeatureCell
    const leftOfCell = feature ? narrowCell(cell, feature, halvings) : cell
    isAll &&= leftOfCell === cell
    if (leftOfCell !== undefined) left.push(version, leftOfCell)
  }
  const narrow: Visit = isAll ? visit : [id, startedAt, endedAt, messages, left]
  narrowedBy.set(narrow, halvings)
  return narrow
}
