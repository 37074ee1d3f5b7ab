const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Returns a JSONPath (RFC 9535) of the keys that lead from the root to a value. */
export function jsonPath(keys: (string | number)[]): string {
  let path = '$'
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`
    else if (PLAIN.test(key)) path += `.${key}`
    else path += `['${key.replace(/[\\']/g, '\\$&')}']`
  }
  return path
}

/** Returns the keys of a JSON Pointer (RFC 6901) into `value`; indexes of lists are numbers. */
export function pointerKeys(pointer: string, value: unknown): (string | number)[] {
  let at = value
  return pointer
    .split('/')
    .slice(1)
    .map(part => {
      const key = part.replace(/~1/g, '/').replace(/~0/g, '~')
      const place = Array.isArray(at) ? Number(key) : key
      at = (at as Record<string | number, unknown> | undefined)?.[place]
      return place
    })
}

/** Returns the value that keys lead to. */
export function valueAt(value: unknown, keys: (string | number)[]): unknown {
  let at = value
  for (const key of keys) at = (at as Record<string | number, unknown> | null | undefined)?.[key]
  return at
}
