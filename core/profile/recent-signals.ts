import { isPersonKey, joined, type Profile } from '@slotstream/protocol'
import { isOfOne, ownerOf } from '../identity/owners.js'

/** Signals that a profile remembers by name, and for how long, in milliseconds. */
const REMEMBERED_SIGNALS = 20
const SIGNALS_MS = 30 * 24 * 3_600_000

type RecentSignals = NonNullable<Profile['recentSignals']>

/** A signal as a profile remembers it. */
interface Remembered {
  name: string
  /** Milliseconds since the epoch. */
  at: number
  /** User of the browser whose it is, where that is not the first one; '' for none. */
  user?: string
  /** True if the signal is taken back: what is remembered of it is removed. */
  retracted?: true
}

/** Returns the latest signals, one of each name and user, after more of them. */
export function withSignals(before: RecentSignals = [], signals: readonly Remembered[]): RecentSignals {
  const latest = new Map(before.map(signal => [keyOf(signal), signal]))
  for (const { name, at, user, retracted } of signals) {
    const signal: RecentSignals[number] = user === undefined ? [name, at] : [name, at, user]
    const key = keyOf(signal)
    const earlier = latest.get(key)?.[1]
    if (retracted) {
      if (earlier === at) latest.delete(key)
    } else if (earlier === undefined || at > earlier) latest.set(key, signal)
  }
  return latestOf([...latest])
}

function keyOf([name, , user]: RecentSignals[number]): string {
  return user === undefined ? name : joined([name, user])
}

function latestOf(signals: [key: string, signal: RecentSignals[number]][]): RecentSignals {
  const latest = signals.sort(([a, [, x]], [b, [, y]]) => y - x || (a < b ? -1 : 1)).map(([, signal]) => signal)
  return latest.filter(([, time]) => time > latest[0]![1] - SIGNALS_MS).slice(0, REMEMBERED_SIGNALS)
}

/**
 * Returns the names of the signals that profiles remember of users, each once, in the order of their characters.
 *
 * @param users '' for what is of a browser alone
 */
export function namesOfSignals(
  profiles: readonly Pick<Profile, 'visitorId' | 'recentSignals' | 'links'>[],
  users: readonly string[],
): string[] {
  const names = profiles.flatMap(({ visitorId, recentSignals = [], links }) => {
    const isOne = isPersonKey(visitorId) || isOfOne(links, '')
    const first = isOne ? undefined : ownerOf(links, '').userId
    return recentSignals.flatMap(([name, , user = first]) => (user === undefined || users.includes(user) ? name : []))
  })
  return [...new Set(names)].sort()
}
