import { isObject } from '@slotstream/protocol'

/** Escape sequence of ClickHouse for a dot that is part of a key. */
const DOT = '%2E'

/**
 * Keeps both values where an object has one path twice, as `{"price": {"amount": 5}, "price.amount": 7}` does, of which
 * a JSON column keeps one: the key with the dot gets `%2E` for it. Everything else stays as it is, and the same object
 * comes back where nothing has to change.
 */
export function keepDotted<T extends object>(value: T): T {
  return hasDottedKey(value) ? (separate(value) as T) : value
}

function hasDottedKey(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasDottedKey)
  if (typeof value !== 'object' || value === null) return false
  for (const key in value) if (key.includes('.') || hasDottedKey((value as Record<string, unknown>)[key])) return true
  return false
}

/** Elements of a list have paths of their own. */
function separate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(separate)
  return isObject(value) ? withoutTwins(value, '', new Set(plainPaths(value, ''))) : value
}

function* plainPaths(value: Record<string, unknown>, prefix: string): Generator<string> {
  for (const [key, inner] of Object.entries(value)) {
    if (key.includes('.')) continue
    if (isObject(inner)) yield* plainPaths(inner, `${prefix}${key}.`)
    else yield prefix + key
  }
}

/** @param takenPaths paths that the object has by keys without dots, and by those with dots that came before */
function withoutTwins(
  value: Record<string, unknown>,
  prefix: string,
  takenPaths: Set<string>,
): Record<string, unknown> {
  const entries = Object.entries(value).map(([key, inner]) => {
    if (!key.includes('.'))
      return [key, isObject(inner) ? withoutTwins(inner, `${prefix}${key}.`, takenPaths) : separate(inner)]
    const paths = isObject(inner) ? allPaths(inner, `${prefix}${key}.`) : [prefix + key]
    const isTwin = paths.some(path => takenPaths.has(path))
    for (const path of paths) takenPaths.add(path)
    return [isTwin ? key.replaceAll('.', DOT) : key, separate(inner)]
  })
  return Object.fromEntries(entries)
}

function allPaths(value: Record<string, unknown>, prefix: string): string[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    isObject(inner) ? allPaths(inner, `${prefix}${key}.`) : [prefix + key],
  )
}
