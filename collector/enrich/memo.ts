/** Bounds of a memo. */
export interface MemoBounds {
  /** Answers that are remembered. */
  max: number
  /** Memory for all of them, in bytes, as far as their text goes. Default 4 MB. */
  maxBytes?: number
  /**
   * Longest key that is remembered, in characters: a client must not fill the memory with a few long ones. Default
   * 1,024.
   */
  maxKeyLength?: number
}

/** Bytes of an entry besides its text. */
const ENTRY_BYTES = 200

/**
 * A function that remembers its last answers by their key. The oldest go first, whether or not they were asked for
 * again: that costs less than order of use, and what is asked for often comes back at once.
 */
export function createMemo<T>(bounds: MemoBounds, make: (key: string) => T): (key: string) => T {
  const { max, maxBytes = 4 * 1024 * 1024, maxKeyLength = 1_024 } = bounds
  const known = new Map<string, T>()
  let bytes = 0

  function forgetOldest() {
    const [key, value] = known.entries().next().value as [string, T]
    known.delete(key)
    bytes -= bytesOf(key, value)
  }

  return key => {
    const there = known.get(key)
    if (there !== undefined) return there
    const made = make(key)
    if (made === undefined || key.length > maxKeyLength) return made
    known.set(key, made)
    bytes += bytesOf(key, made)
    while (known.size > max || (bytes > maxBytes && known.size > 1)) forgetOldest()
    return made
  }
}

/** Text takes up to two bytes a character. */
function bytesOf(key: string, value: unknown): number {
  return ENTRY_BYTES + 2 * key.length + (typeof value === 'string' ? 2 * value.length : 0)
}
