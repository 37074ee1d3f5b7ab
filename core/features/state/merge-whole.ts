import type { FeatureStates } from '@slotstream/protocol'
import type { Features } from '../feature.js'
import { mergeFeature } from './merge-cells.js'
import { bounded, mergeVisits } from './visits.js'

/** Merges states of which nothing was left out: see `mergeStates`. */
export function mergeWhole(a: FeatureStates, b: FeatureStates, features: Features): FeatureStates {
  const merged: FeatureStates['of'] = {}
  for (const [version, feature] of features.byVersion) {
    const [stateOfA, stateOfB] = [a.of[version], b.of[version]]
    const state = stateOfA && stateOfB ? mergeFeature(stateOfA, stateOfB, feature) : (stateOfA ?? stateOfB)
    if (state) merged[version] = state
  }
  const visits = mergeVisits(a.visits, b.visits, features)
  const past: FeatureStates['past'] = [a.past[0] + b.past[0], a.past[1] + b.past[1]]
  const born = Math.min(a.born, b.born)
  return {
    born,
    at: Math.max(a.at, b.at),
    of: merged,
    ...(visits.length > 0 ? bounded(visits, past) : { visits, past }),
  }
}
