import { hash32, type Profile } from '@slotstream/protocol'
import { compareTexts } from '../../compare-texts.js'

/** Most traits a profile keeps, of those that were set or removed: of more names those of the smallest hashes. */
export const MAX_TRAITS = 100

/** Longest trait, in characters of its name and JSON text; longer ones are ignored. */
export const MAX_TRAIT_LENGTH = 1_000

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/** Traits, and when each was set or removed last: so they follow from the messages, in whatever order these came. */
export interface TraitSet {
  traits: Profile['traits']
  /** Hashes of the names and times in milliseconds since the epoch, in turn, by hash. */
  times: readonly number[]
}

/** Returns what a record itself has under a name, not what objects inherit: a user may be called `__proto__`. */
export function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Returns no traits. */
export function noTraits(): TraitSet {
  return { traits: {}, times: [] }
}

/**
 * Returns traits as they are stored with the times that are known.
 *
 * @param lastSeen time of what was stored before times were noted, in milliseconds since the epoch
 */
export function traitSet(traits: Profile['traits'], times: readonly number[] = [], lastSeen: number): TraitSet {
  const timeByHash = pairsOf(times)
  const size = timeByHash.size
  for (const name of Object.keys(traits)) {
    const hash = hash32(name)
    if (!timeByHash.has(hash)) timeByHash.set(hash, lastSeen)
  }
  return { traits, times: timeByHash.size === size ? times : listOf(timeByHash) }
}

/**
 * Returns traits after a message of time `at`: each name is as the latest message says that names it, and null removes
 * it. Of two of one time the one that came last counts.
 */
export function setTraits({ traits, times }: TraitSet, newer: Record<string, unknown>, at: number): TraitSet {
  const merged = new Map(Object.entries(traits))
  const timeByHash = pairsOf(times)
  for (const [name, value] of Object.entries(newer)) {
    if (FORBIDDEN.has(name) || lengthOf(name, value) > MAX_TRAIT_LENGTH) continue
    const hash = hash32(name)
    if ((timeByHash.get(hash) ?? at) > at) continue
    timeByHash.set(hash, at)
    if (value === null) merged.delete(name)
    else merged.set(name, value)
  }
  return bounded(merged, timeByHash)
}

/** Returns the traits of several sets together: of each name what was set last. Of one time the later set counts. */
export function mergeTraits(sets: readonly TraitSet[]): TraitSet {
  const named = sets.filter(({ times }) => times.length > 0)
  if (named.length < 2) return named[0] ?? noTraits()
  const merged = new Map<string, unknown>()
  const timeByHash = new Map<number, number>()
  for (const { traits, times } of named) {
    const isLatest = new Set<number>()
    for (const [hash, at] of pairsOf(times)) {
      if ((timeByHash.get(hash) ?? at) > at) continue
      timeByHash.set(hash, at)
      isLatest.add(hash)
    }
    for (const name of [...merged.keys()]) if (isLatest.has(hash32(name))) merged.delete(name)
    for (const [name, value] of Object.entries(traits)) if (isLatest.has(hash32(name))) merged.set(name, value)
  }
  return bounded(merged, timeByHash)
}

function lengthOf(name: string, value: unknown): number {
  return name.length + (value === null ? 0 : JSON.stringify(value).length)
}

function bounded(traits: Map<string, unknown>, timeByHash: Map<number, number>): TraitSet {
  const hashes = [...timeByHash.keys()].sort((a, b) => a - b)
  for (const hash of hashes.slice(MAX_TRAITS)) timeByHash.delete(hash)
  const all = [...traits].sort(([a], [b]) => compareTexts(a, b))
  const remaining = hashes.length > MAX_TRAITS ? all.filter(([name]) => timeByHash.has(hash32(name))) : all
  return { traits: Object.fromEntries(remaining), times: listOf(timeByHash) }
}

function pairsOf(times: readonly number[]): Map<number, number> {
  const pairs = new Map<number, number>()
  for (let index = 0; index + 1 < times.length; index += 2) pairs.set(times[index]!, times[index + 1]!)
  return pairs
}

function listOf(timeByHash: ReadonlyMap<number, number>): number[] {
  return [...timeByHash].sort(([a], [b]) => a - b).flat()
}
