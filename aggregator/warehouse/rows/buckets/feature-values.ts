import { createIsApproximate, type Features, featureValues, mergeStates, shareLeft } from '@slotstream/core'
import type { FeatureStates, Json, Profile } from '@slotstream/protocol'

/** A feature as a row of `profile_versions` has it: its version, and its value as JSON. */
export interface FeatureOfRow {
  version: string
  value: string
}

/** Name under which a row has the shares that were left of features that were narrowed. No feature may have it. */
export const NARROWED = '(narrowed)'

/** Name under which a row has, each with 1, the features whose values are approximate. No feature may have it. */
export const APPROXIMATE = '(approximate)'

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
  const isApproximate = createIsApproximate(states, features, at)
  const narrowedByName: Record<string, number> = {}
  const approximateByName: Record<string, 1> = {}
  for (const [name, { value, version }] of featureValues(states, features, at, namesHeld(states, features))) {
    if (!isNothing(value)) entries.push([name, { version, value: JSON.stringify(value) }])
    const feature = features.byName.get(name)!
    if (isApproximate(feature)) approximateByName[name] = 1
    const narrowed = shareLeft(states, feature)
    if (narrowed !== undefined) narrowedByName[name] = narrowed
  }
  const ofNames = { [NARROWED]: narrowedByName, [APPROXIMATE]: approximateByName }
  for (const [name, byName] of Object.entries(ofNames))
    if (!isNothing(byName)) entries.push([name, { version: '', value: JSON.stringify(byName) }])
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
