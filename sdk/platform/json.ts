/** Leaves out the key that the collector refuses, and writes a BigInt as text. */
const plain = (key: string, value: unknown) =>
  key === '__proto__' ? undefined : typeof value === 'bigint' ? String(value) : value

/**
 * Returns a value as JSON, whatever the page has made of it: Prototype.js before 1.7 makes texts of lists by
 * `Array.prototype.toJSON`.
 */
export function jsonOf(value: unknown): string {
  const lists = Array.prototype as { toJSON?: unknown }
  const { toJSON } = lists
  delete lists.toJSON
  try {
    const text = JSON.stringify(value)
    return text.includes('"__proto__"') ? JSON.stringify(value, plain) : text
  } catch {
    return JSON.stringify(value, plain)
  } finally {
    if (toJSON) lists.toJSON = toJSON
  }
}
