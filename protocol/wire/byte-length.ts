const encoder = new TextEncoder()

/** Counts the bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length
}
