import type { FeatureRow } from '@slotstream/protocol'
import { keyOfScalar, scalarOfKey } from '../input/scalar.js'
import type { Aggregate } from './aggregate.js'

/** Values that are remembered: the latest. */
export const MAX_RECENT = 20

/** Values with the time at which each came last, the latest first: key, time, key, time … */
type Recent = (string | FeatureRow)[]

/**
 * The latest different values, the latest first. Which are the latest twenty follows from all messages: a value that
 * was left out comes back only by a later message.
 */
export const recent: Aggregate<Recent> = {
  add(row, { value, at }) {
    const key = keyOfScalar(value)
    if (!row) return [key, at]
    const latestAt = row[1] as number
    // Nearly always: the same value once more, or a later one.
    if (at > latestAt || (at === latestAt && row[0] === key)) return withLatest(row, key, at)
    return latest([...row, key, at])
  },
  merge: (a, b) => latest([...a, ...b]),
  value: row => (row ?? []).filter((_, place) => place % 2 === 0).map(key => scalarOfKey(key as string)),
}

/** Returns a row with a value that comes first. */
function withLatest(row: Recent, key: string, at: number): Recent {
  const next: Recent = [key, at]
  for (let place = 0; place < row.length && next.length < 2 * MAX_RECENT; place += 2)
    if (row[place] !== key) next.push(row[place]!, row[place + 1]!)
  return next
}

function latest(all: Recent): Recent {
  const times = new Map<string, number>()
  for (let place = 0; place < all.length; place += 2) {
    const [key, at] = [all[place] as string, all[place + 1] as number]
    times.set(key, Math.max(at, times.get(key) ?? Number.NEGATIVE_INFINITY))
  }
  return [...times]
    .sort(([keyA, a], [keyB, b]) => b - a || (keyA < keyB ? -1 : 1))
    .slice(0, MAX_RECENT)
    .flat()
}
