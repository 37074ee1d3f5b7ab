import { createWorkspace } from './workspace.js'

const workspace = createWorkspace()

/**
 * Returns the n-th largest of some numbers, the first being the largest (Hoare 1961): quicker than sorting them all.
 *
 * @param numbers without NaN; at least n of them. Not changed
 * @param length of them that count. Default: all
 */
export function nthLargest(numbers: Float64Array, n: number, length = numbers.length): number {
  const rest = workspace(length)
  for (let at = 0; at < length; at++) rest[at] = numbers[at]!
  const target = n - 1
  let from = 0
  let to = length - 1
  while (from < to) {
    // The middle one: what is sorted already, or all alike, is halved each time.
    const pivot = rest[(from + to) >> 1]!
    let i = from
    let j = to
    while (i <= j) {
      while (rest[i]! > pivot) i++
      while (rest[j]! < pivot) j--
      if (i > j) break
      const value = rest[i]!
      rest[i++] = rest[j]!
      rest[j--] = value
    }
    if (target <= j) to = j
    else if (target >= i) from = i
    else break
  }
  return rest[target]!
}
