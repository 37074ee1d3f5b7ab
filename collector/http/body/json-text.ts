import { withDigits } from '@slotstream/protocol'

/** Several times as fast as Buffer.from, whose memory for a long text isn't pooled either. */
const encoder = new TextEncoder()

/** Deep enough to see what a value was, shallow enough for JSON.stringify, which recurses. */
const KEPT_DEPTH = 64

/**
 * Returns the JSON text of any parsed value, whole numbers with all digits that the client wrote. What is nested too
 * deeply for the stack is cut off, as `"…"`, below 64 levels.
 */
export function jsonText(value: unknown): string {
  let text: string
  try {
    text = JSON.stringify(value)
  } catch {
    text = JSON.stringify(prune(value, KEPT_DEPTH))
  }
  return withDigits(text)
}

function prune(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '…'
  if (Array.isArray(value)) return value.map(entry => prune(entry, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, prune(entry, depth - 1)]))
}

/** Encodes text as UTF-8. */
export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Returns text cut to at most `max` bytes of UTF-8, never inside a character. */
export function cutBytes(text: string, max: number): string {
  if (text.length * 3 <= max) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= max) return text
  let end = max
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
