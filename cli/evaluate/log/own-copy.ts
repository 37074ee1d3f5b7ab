/** Returns an equal text of its own. A part of a longer text, as `slice` yields it, keeps the whole in memory. */
export function ownCopy(text: string): string {
  return Buffer.from(text).toString()
}
