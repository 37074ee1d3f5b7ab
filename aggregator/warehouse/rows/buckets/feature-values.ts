import { type Features, featureValues, mergeStates, shareLeft } from '@slotstream/core'
import type { FeatureStates, Json, Profile } from '@slotstream/protocol'

/** A feature as a row of `profile_versions` has it: its version, and its value as JSON. */
export interface FeatureOfRow {
  version: string
  value: string
}

/** Name under which a row has the shares that were left of features that were narrowed. No feature may have it. */
export const NARROWED = '(narrowed)'

/**
 * Returns what the features of a profile hold at a time, of all users of a browser together. Features that hold nothing
 * are left out: most visitors have few of them.
 *
 * @param at milliseconds since the epoch
 */
export function featuresOfRow(profile: Profile, features: Features, at: number): Record<string, FeatureOfRow> {
  const parts = [profile.features ?? [], Object.values(profile.featuresByUser ?? {})].flat()
  const [first, ...others] = parts
  if (!first) return {}
  const states = others.reduce((all, part) => mergeStates(all, part, features), first)
  const entries: [string, FeatureOfRow][] = []
  const narrowedByName: Record<string, number> = {}
  for (const [name, { value, version }] of featureValues(states, features, at, namesHeld(states, features))) {
    if (!isNothing(value)) entries.push([name, { version, value: JSON.stringify(value) }])
    const narrowed = shareLeft(states, features.byName.get(name)!)
    if (narrowed !== undefined) narrowedByName[name] = narrowed
  }
  if (!isNothing(narrowedByName)) entries.push([NARROWED, { version: '', value: JSON.stringify(narrowedByName) }])
  return Object.fromEntries(entries)
}

/** Returns the features that states may hold something of: of a visitor's first message they are few. */
function* namesHeld({ of: byVersion }: FeatureStates, features: Features): Generator<string> {
  for (const [name, { version, window }] of features.byName)
    if (window.kind === 'session' || Object.hasOwn(byVersion, version)) yield name
}

function isNothing(value: Json): boolean {
  if (value === null || value === 0 || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
