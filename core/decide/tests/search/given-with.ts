import { type DecisionTest, isObject, type JsonObject, parseTime } from '@slotstream/protocol'
import { readKeys } from '../../../conditions/read-path.js'
import { featureOf } from '../../../segments/attributes.js'

type Given = DecisionTest['given']

/** Values of paths that a condition may read; undefined: there is none. */
export type Assignment = ReadonlyMap<string, unknown>

/** Paths whose values are lists of names, counts, and times. */
const LISTS = ['segments', 'signals']
const COUNTS = ['profile.sessions', 'profile.events']
const TIMES = ['profile.firstSeen', 'profile.lastSeen']

/**
 * Tells whether a test leaves the value of a path open: it gives none, and its person is no newcomer, whose values are
 * all known to be missing. The time is never open: it is the one of the test, or the present.
 */
export function isOpen({ profile, context = {} }: Given, path: string): boolean {
  const keys = keysOf(path)
  if (keys[0] === 'context') return isLeftOut(context, keys.slice(1))
  if (profile === undefined || keys[0] === 'now') return false
  if (LISTS.includes(path)) return profile[path as 'segments'] === undefined
  if ([...COUNTS, ...TIMES].includes(path)) return profile[keys[1] as 'sessions'] === undefined
  return (keys[0] === 'traits' || keys[0] === 'features') && isLeftOut(profile[keys[0]] ?? {}, keys.slice(1))
}

/** Tells whether a value is of a type that its path can have. */
export function isPossibleAt(path: string, value: unknown): boolean {
  if (LISTS.includes(path)) return Array.isArray(value) && value.every(name => typeof name === 'string' && name !== '')
  if (COUNTS.includes(path)) return Number.isSafeInteger(value) && (value as number) >= 0
  if (TIMES.includes(path)) return typeof value === 'string' && parseTime(value) !== undefined
  return true
}

/** Returns the facts that a test gives, completed by an assignment of open paths. */
export function givenWith(facts: Given, assignment: Assignment): Given {
  let { profile, context = {} } = facts
  for (const [path, value] of assignment) {
    if (value === undefined) continue
    const [root = '', ...keys] = keysOf(path)
    if (root === 'context') context = withValue(context, keys, value)
    else if (LISTS.includes(root)) profile = { ...profile, [root]: value as string[] }
    else if (root === 'profile') profile = { ...profile, [keys[0]!]: value }
    else if (root === 'traits' || root === 'features')
      profile = { ...profile, [root]: withValue(profile?.[root] ?? {}, keys, value) }
  }
  return { ...facts, ...(profile && { profile }), context }
}

function keysOf(path: string): string[] {
  const feature = featureOf(path)
  if (feature) return ['features', feature.name, ...(feature.key === undefined ? [] : [feature.key])]
  return path.split('.')
}

/** Tells whether an object has no value at a path, and could have one: all parents are objects, or missing. */
function isLeftOut(object: unknown, keys: readonly string[]): boolean {
  for (let depth = 0; depth < keys.length; depth++) {
    const above = readKeys(keys.slice(0, depth))(object)
    if (above === undefined) return true
    if (!isObject(above)) return false
  }
  return readKeys(keys)(object) === undefined
}

function withValue(object: JsonObject, [key = '', ...keys]: readonly string[], value: unknown): JsonObject {
  if (keys.length === 0) return { ...object, [key]: value } as JsonObject
  const below = Object.hasOwn(object, key) ? object[key] : undefined
  return { ...object, [key]: withValue(isObject(below) ? (below as JsonObject) : {}, keys, value) }
}
