/**
 * Tells whether a parsed JSON value is nested deeper than `max` levels. Does not recurse: the value may be nested
 * 100,000 deep.
 */
export function isDeeperThan(value: unknown, max: number): boolean {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    const objects = level.filter(entry => typeof entry === 'object' && entry !== null) as object[]
    if (objects.length > 0 && depth >= max) return true
    level = objects.flatMap(entry => Object.values(entry))
  }
  return false
}
