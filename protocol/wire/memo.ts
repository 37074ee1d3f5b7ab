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
 * Creates a function that remembers its last answers by their key. The oldest go first, whether or not they were asked
 * for again: that costs less than order of use, and what is asked for often comes back at once.
 */
export function createMemo<T>(bounds: MemoBounds, make: (key: string) => T): (key: string) => T {
  const { max, maxBytes = 4 * 1024 * 1024, maxKeyLength = 1_024 } = bounds
  const values = new Map<string, T>()
  let bytes = 0

  function forgetOldest() {
    const [key, value] = values.entries().next().value as [string, T]
    values.delete(key)
    bytes -= bytesOf(key, value)
  }

  return key => {
    const there = values.get(key)
    if (there !== undefined) return there
    const value = make(key)
    if (value === undefined || key.length > maxKeyLength) return value
    values.set(key, value)
    bytes += bytesOf(key, value)
    while (values.size > max || (bytes > maxBytes && values.size > 1)) forgetOldest()
    return value
  }
}

/** Returns the bytes of a text, which takes up to two bytes a character. */
function bytesOf(key: string, value: unknown): number {
  return ENTRY_BYTES + 2 * key.length + (typeof value === 'string' ? 2 * value.length : 0)
}
