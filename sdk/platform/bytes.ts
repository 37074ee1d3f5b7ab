const encoder = new TextEncoder()

/**
 * Buffer in which texts are measured: an array per message would cost more than the message. Has room for any request
 * that outlives its page.
 */
const scratch = new Uint8Array(64 * 1024)

/** Returns the length of a text in UTF-8 bytes. */
export function bytesOf(text: string): number {
  const { read, written } = encoder.encodeInto(text, scratch)
  return read === text.length ? written : encoder.encode(text).length
}
