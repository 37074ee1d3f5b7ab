/** Stream positions of messages that were gone before they could be read: disjoint ranges, ascending, inclusive. */
export type MissedRanges = [first: number, last: number][]

/** Ranges that are kept, at most. Beyond that, the two nearest are joined. */
const MAX_RANGES = 10_000

/**
 * Notes that messages were gone before they could be read, for example those of a deleted person: the removal of their
 * records must not be subtracted.
 */
export function noteMissed(missed: MissedRanges, first: number, last: number): void {
  if (first > last) return
  missed.push([first, last])
  missed.sort(([a], [b]) => a - b)
  for (let at = missed.length - 1; at > 0; at--) if (missed[at]![0] <= missed[at - 1]![1] + 1) join(missed, at)
  while (missed.length > MAX_RANGES) join(missed, nearest(missed))
}

/** Tells whether the message at a stream position was gone before it could be read. */
export function isMissed(missed: MissedRanges, position: number): boolean {
  let low = 0
  let high = missed.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (missed[middle]![1] < position) low = middle + 1
    else high = middle
  }
  return low < missed.length && missed[low]![0] <= position
}

/** Joins a range with the one before it. */
function join(missed: MissedRanges, at: number): void {
  const [, last] = missed[at]!
  const before = missed[at - 1]!
  before[1] = Math.max(before[1], last)
  missed.splice(at, 1)
}

function nearest(missed: MissedRanges): number {
  const distance = (at: number) => missed[at]![0] - missed[at - 1]![1]
  let best = 1
  for (let at = 2; at < missed.length; at++) if (distance(at) < distance(best)) best = at
  return best
}
