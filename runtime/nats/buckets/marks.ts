/** Header of a bucket's message that says what was done to its key, where no value was put. */
const OPERATION = 'KV-Operation'

/** Returns whether a message of a bucket's stream marks a key whose value was deleted, and has none itself. */
export function isMark(headers: { has(name: string): boolean } | undefined): boolean {
  return headers?.has(OPERATION) ?? false
}
