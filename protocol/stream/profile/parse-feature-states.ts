import { isObject } from '../../wire/checks/is-object.js'
import { isListOf, isText } from '../../wire/checks/parse-stored.js'

/** Deepest list in what a feature holds: changes of a cart, by key, by slot. */
const MAX_DEPTH = 6

/** Tells whether a value has the shape of `FeatureStates`. What a feature's rows mean only the feature knows. */
export function isFeatureStates(value: unknown): boolean {
  if (!isObject(value)) return false
  const { born, at, of: states, visits, past, narrowed } = value
  return (
    Number.isInteger(born) &&
    Number.isFinite(at) &&
    isObject(states) &&
    Object.values(states).every(state => Array.isArray(state) && state.length === 2 && isHeld(state, MAX_DEPTH)) &&
    isListOf(visits, isVisit) &&
    isListOf(past, Number.isFinite) &&
    past.length === 2 &&
    (narrowed === undefined || isNarrowed(narrowed))
  )
}

function isVisit(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 5) return false
  const [id, startedAt, endedAt, messages, cells] = value
  return isText(id) && [startedAt, endedAt, messages].every(Number.isFinite) && isHeld(cells, MAX_DEPTH)
}

function isNarrowed(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.of)) return false
  return [value.step, value.visits, ...Object.values(value.of)].every(Number.isInteger)
}

function isHeld(value: unknown, depth: number): boolean {
  if (Array.isArray(value)) return depth > 0 && value.every(entry => isHeld(entry, depth - 1))
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}
