/**
 * Returns the bytes that a value of JSON takes in the memory of a JavaScript engine of 64 bits, by a formula that every
 * process and every replay computes alike. It errs upwards: objects are counted as if each had a shape of its own, as
 * those of a hostile sender have. Text of JSON says little about it: `[],[],[]` is 13 times as large when it is parsed.
 *
 * @param depth levels looked into; what is nested deeper is infinitely large
 */
export function memoryOf(value: unknown, depth = 32): number {
  if (typeof value === 'string') return memoryOfText(value)
  if (typeof value === 'number') return NUMBER
  if (typeof value !== 'object' || value === null) return 0
  if (depth === 0) return Number.POSITIVE_INFINITY
  let bytes = OBJECT
  if (Array.isArray(value)) for (const entry of value) bytes += SLOT + memoryOf(entry, depth - 1)
  else
    for (const key of Object.keys(value))
      bytes += PROPERTY + memoryOfText(key) + memoryOf((value as Record<string, unknown>)[key], depth - 1)
  return bytes
}

/** Returns the bytes of a text: its characters by two bytes each, as those beyond Latin-1 take. */
export function memoryOfText(text: string): number {
  return TEXT + 2 * text.length
}

/** Bytes of what is around the contents. Measured on V8 13 by a test, in the worst case each. */
const TEXT = 32
const NUMBER = 16
const OBJECT = 64
const SLOT = 16
const PROPERTY = 128
