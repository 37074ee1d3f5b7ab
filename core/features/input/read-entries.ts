import type { StoredMessage } from '@slotstream/protocol'
import { MAX_VALUES } from '../../conditions/limits.js'
import { isIndex, readValuesAlong } from '../../conditions/message-paths.js'
import { readKey } from '../../conditions/read-path.js'
import { categoryOf, isDerived } from './read-path.js'
import { isScalar } from './scalar.js'

/** The keys and the values of one element of a list. */
export interface Entry {
  keys: readonly unknown[]
  values: readonly unknown[]
}

/** Reads a list of a message element by element; undefined where there is no list. */
export type ReadEntries = (message: StoredMessage) => Entry[] | undefined

/** The derived path that may lead through a list, and where it does. */
const CATEGORY = 'product.category'
const IN_PRODUCTS = 'properties.products.category'

/** Fields of messages that are objects: no list is there. */
const OBJECTS = ['properties', 'traits', 'context']

/**
 * Compiles two paths that may lead through the same list, such as `properties.products.category` and
 * `properties.products.price`: the key and the value of one element belong together. By `product.category` an element
 * without a category has that of the message. Undefined: they never do.
 */
export function compileEntries(keyPath: string, valuePath: string): ReadEntries | undefined {
  if ([keyPath, valuePath].some(path => path !== CATEGORY && isDerived(path))) return undefined
  const [keys, values] = [keysOf(keyPath), keysOf(valuePath)]
  let depth = 0
  while (depth < keys.length && depth < values.length && keys[depth] === values[depth]) depth++
  if (depth === 0 || (depth === 1 && OBJECTS.includes(keys[0]!))) return undefined
  const shared = keys.slice(0, depth)
  const [keyRest, valueRest] = [keys.slice(depth), values.slice(depth)]
  const [readKeys, readValues] = [readValuesAlong(keyRest), readValuesAlong(valueRest)]
  const namesElement = [keyRest, valueRest].some(([next]) => next !== undefined && isIndex(next))
  return message => {
    if (!isInList(message, shared, namesElement)) return undefined
    const entries: Entry[] = []
    const category = [keyPath, valuePath].includes(CATEGORY) ? categoryOf(message) : undefined
    collect(message, 0)
    return entries

    function collect(value: unknown, at: number): void {
      const key = shared[at]
      if (Array.isArray(value) && !(key === undefined ? namesElement : isIndex(key))) {
        for (const element of value) {
          if (entries.length >= MAX_VALUES) return
          collect(element, at)
        }
      } else if (key !== undefined) collect(readKey(value, key), at + 1)
      else
        entries.push({
          keys: orElse(readKeys(value), keyPath === CATEGORY ? category : undefined),
          values: orElse(readValues(value), valuePath === CATEGORY ? category : undefined),
        })
    }
  }
}

function keysOf(path: string): string[] {
  return (path === CATEGORY ? IN_PRODUCTS : path).split('.')
}

/** Returns what an element has; what its message has where it has nothing. */
function orElse(ofElement: readonly unknown[], ofMessage: unknown): readonly unknown[] {
  return ofMessage === undefined || ofElement.some(isScalar) ? ofElement : [ofMessage]
}

/** Returns whether a list is on a way: nearly every message has none, and to find that out is cheap. */
function isInList(message: unknown, keys: readonly string[], namesElement: boolean): boolean {
  let value = message
  for (const key of keys) {
    if (Array.isArray(value) && !isIndex(key)) return true
    value = readKey(value, key)
    if (typeof value !== 'object' || value === null) return false
  }
  return Array.isArray(value) && !namesElement
}
