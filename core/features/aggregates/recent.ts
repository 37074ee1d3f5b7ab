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
    // Nearly always: the same value once more, or a first one.
    if (row?.[0] === key && at >= (row[1] as number)) return [key, at, ...row.slice(2)]
    return row ? latest([...row, key, at]) : [key, at]
  },
  merge: (a, b) => latest([...a, ...b]),
  value: row => (row ?? []).filter((_, place) => place % 2 === 0).map(key => scalarOfKey(key as string)),
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
