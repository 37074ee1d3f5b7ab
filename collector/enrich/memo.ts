/**
 * A function that remembers its last answers by their key, `max` of them at most. The oldest go first, whether or not
 * they were asked for again: that costs less than order of use, and what is asked for often comes back at once.
 */
export function createMemo<T>(max: number, make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return key => {
    const there = known.get(key)
    if (there !== undefined) return there
    const made = make(key)
    if (known.size >= max) known.delete(known.keys().next().value as string)
    known.set(key, made)
    return made
  }
}
