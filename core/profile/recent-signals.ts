import type { Profile } from '@slotstream/protocol'
import type { Match } from '../patterns/compiled.js'

/** Signals that a profile remembers by name, and for how long, in milliseconds. */
const REMEMBERED_SIGNALS = 20
const SIGNALS_MS = 30 * 24 * 3_600_000

/** Returns the latest signals, one of each name, with those of these names that were found at `at`. */
export function withSignals(before: Profile['recentSignals'] = [], names: readonly string[], at: number) {
  const times = new Map(before)
  for (const name of names) times.set(name, Math.max(at, times.get(name) ?? 0))
  return latestOf(times)
}

/** Returns the latest signals after matches of patterns. One that is retracted is none any more. */
export function withMatches(before: Profile['recentSignals'], matches: readonly Match[]) {
  const times = new Map(before)
  for (const { pattern, at, retracted } of matches) {
    if (!retracted) times.set(pattern, Math.max(at, times.get(pattern) ?? 0))
    else if (times.get(pattern) === at) times.delete(pattern)
  }
  return latestOf(times)
}

function latestOf(times: ReadonlyMap<string, number>): NonNullable<Profile['recentSignals']> {
  const latest = [...times].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return latest.filter(([, time]) => time > latest[0]![1] - SIGNALS_MS).slice(0, REMEMBERED_SIGNALS)
}
