/** Bytes of a text that a message adds, at most: 256 characters, and what is around them, as `memoryOf` counts. */
const TEXT = 560

/** Bytes that one value adds at most beside texts: a new feature, slot, key and row. */
const REST = 640

/** Bytes of a session that a message begins, without its features. */
const SESSION = 1_024

/** Bytes that one value adds at most, to a row of the largest kind: a key, an id and a text. */
const ADDITION = REST + 3 * TEXT

/**
 * Returns the bytes that a message adds at most to what features hold.
 *
 * @param additions features that it changed, and further keys and values of its lists
 */
export function mostGrowth(additions: number): number {
  return SESSION + additions * ADDITION
}
