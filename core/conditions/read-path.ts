/**
 * Returns a reader of a path whose dots are levels. Only properties of the data itself are read, so `constructor` and
 * `__proto__` are missing unless the data has them; an index leads into a list. Undefined: missing.
 */
export function readPath(path: string): (value: unknown) => unknown {
  return readKeys(path.split('.'))
}

/** Returns a reader as `readPath` does, of keys one below the other. */
export function readKeys(keys: readonly string[]): (value: unknown) => unknown {
  // Clauses of hundreds of segments read a path each for every person, so the usual lengths need no loop.
  if (keys.some(isInherited)) return readCarefully(keys)
  const [first = '', second = '', third = ''] = keys
  if (keys.length === 1) return value => (isObjectOrList(value) ? value[first] : undefined)
  if (keys.length === 2)
    return value => {
      const inner = isObjectOrList(value) ? value[first] : undefined
      return isObjectOrList(inner) ? inner[second] : undefined
    }
  if (keys.length === 3)
    return value => {
      const outer = isObjectOrList(value) ? value[first] : undefined
      const inner = isObjectOrList(outer) ? outer[second] : undefined
      return isObjectOrList(inner) ? inner[third] : undefined
    }
  return readCarefully(keys)
}

/** Returns the property of an object or a list itself; undefined where there is none. */
export function readKey(value: unknown, key: string): unknown {
  return isObjectOrList(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

function readCarefully(keys: readonly string[]): (value: unknown) => unknown {
  return value => {
    let current = value
    for (const key of keys) current = readKey(current, key)
    return current
  }
}

/**
 * Returns whether objects or lists have a property of this name without the data's doing. All others need no look at
 * whose property it is, which takes five times as long as reading it.
 */
export function isInherited(key: string): boolean {
  return key in Object.prototype || key in Array.prototype
}

function isObjectOrList(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
