const MINUTE_MS = 60_000

let last = { time: Number.NaN, text: '' }
let minute = Number.NaN
let prefix = ''

/**
 * What `new Date(time).toISOString()` gives, ten times as fast for times of the same minute as the call before, which
 * those of one batch mostly are. Throws RangeError for what is no time.
 *
 * @param time milliseconds since the epoch
 */
export function isoTime(time: number): string {
  if (time === last.time) return last.text
  const its = Math.floor(time / MINUTE_MS)
  if (its !== minute) {
    prefix = new Date(time).toISOString().slice(0, -7)
    minute = its
  }
  const within = Math.trunc(time - its * MINUTE_MS)
  const text = `${prefix}${String(100_000 + within).slice(1, 3)}.${String(1_000 + (within % 1_000)).slice(1)}Z`
  last = { time, text }
  return text
}
