/**
 * Returns a reader of a path whose dots are levels. Only properties of the value itself are read, so `constructor` and
 * `__proto__` are missing unless the data has them; an index leads into a list. Undefined: missing.
 */
export function readPath(path: string): (value: unknown) => unknown {
  const [first = '', second, third, ...rest] = path.split('.')
  if (second === undefined) return value => readKey(value, first)
  if (third === undefined) return value => readKey(readKey(value, first), second)
  if (rest.length === 0) return value => readKey(readKey(readKey(value, first), second), third)
  const keys = path.split('.')
  return value => {
    let current = value
    for (const key of keys) current = readKey(current, key)
    return current
  }
}

/** Returns the property of an object or a list itself; undefined where there is none. */
export function readKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}
