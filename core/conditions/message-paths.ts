import { nearest } from '@slotstream/protocol'
import { MAX_PATH, MAX_VALUES } from './limits.js'
import { testable } from './operators/operands.js'
import { readKey } from './read-path.js'

/** Fields that messages have; docs/http.md describes them. Clients may send others. */
const FIELDS = [
  ...['messageId', 'type', 'event', 'name', 'anonymousId', 'userId', 'previousId', 'groupId'],
  ...['timestamp', 'originalTimestamp', 'sentAt', 'properties', 'traits', 'context'],
]

/** Fields that hold a time. */
const TIMES = ['timestamp', 'originalTimestamp', 'sentAt']

/** Returns why a path over messages, such as `properties.price`, is invalid; undefined when it is valid. */
export function messagePathTrouble(path: string): string | undefined {
  if (path.length > MAX_PATH) return `the path has ${path.length} characters, ${MAX_PATH} are allowed`
  const keys = path.split('.')
  if (keys.includes('')) return 'a path must be names with dots between them, such as "properties.price"'
  const [field = ''] = keys
  const meant = FIELDS.includes(field) ? undefined : nearest(field, FIELDS)
  return meant === undefined
    ? undefined
    : `messages have no ${field}: did you mean ${[meant, ...keys.slice(1)].join('.')}?`
}

/** Returns whether a path over messages holds a time. */
export function isMessageTime(path: string): boolean {
  return TIMES.includes(path)
}

/** A value that a path leads to. */
export type PathValue = string | number | boolean

/**
 * Returns a reader of the values that a path of a message leads to: text, numbers, true and false. A list on the way or
 * at the end is read element by element, unless the path names an index; objects and null are no values. Only
 * properties of the data itself are read. At most `MAX_VALUES`, in the order of the message.
 */
export function readValues(path: string): (message: unknown) => PathValue[] {
  return readValuesAlong(path.split('.'))
}

/** Returns a reader of the values that keys of a path lead to from where they begin, as `readValues` reads them. */
export function readValuesAlong(keys: readonly string[]): (from: unknown) => PathValue[] {
  return from => {
    const values: PathValue[] = []
    collect(from, keys, 0, values)
    return values
  }
}

function collect(value: unknown, keys: readonly string[], at: number, values: PathValue[]): void {
  const key = keys[at]
  if (Array.isArray(value) && !(key !== undefined && isIndex(key))) {
    for (const element of value) {
      if (values.length >= MAX_VALUES) return
      collect(element, keys, at, values)
    }
  } else if (key !== undefined) collect(readKey(value, key), keys, at + 1, values)
  else if (typeof value !== 'object' && value !== undefined) values.push(testable(value) as PathValue)
}

/** Returns whether a key of a path names an element of a list. */
export function isIndex(key: string): boolean {
  return /^\d+$/.test(key)
}
