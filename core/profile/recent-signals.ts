import type { Profile } from '@slotstream/protocol'

/** Signals that a profile remembers by name, and for how long, in milliseconds. */
const REMEMBERED_SIGNALS = 20
const SIGNALS_MS = 30 * 24 * 3_600_000

/** A signal as a profile remembers it. */
interface Remembered {
  name: string
  /** Milliseconds since the epoch. */
  at: number
  /** True if the signal is taken back: what is remembered of it is removed. */
  retracted?: true
}

/** Returns the latest signals, one of each name, after more of them. */
export function withSignals(before: Profile['recentSignals'] = [], signals: readonly Remembered[]) {
  const times = new Map(before)
  for (const { name, at, retracted } of signals) {
    if (!retracted) times.set(name, Math.max(at, times.get(name) ?? 0))
    else if (times.get(name) === at) times.delete(name)
  }
  return latestOf(times)
}

function latestOf(times: ReadonlyMap<string, number>): NonNullable<Profile['recentSignals']> {
  const latest = [...times].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return latest.filter(([, time]) => time > latest[0]![1] - SIGNALS_MS).slice(0, REMEMBERED_SIGNALS)
}

/** Returns the names of the signals that profiles remember, each once, in the order of their characters. */
export function namesOfSignals(profiles: readonly Pick<Profile, 'recentSignals'>[]): string[] {
  return [...new Set(profiles.flatMap(({ recentSignals = [] }) => recentSignals.map(([name]) => name)))].sort()
}
