import type { StoredMessage } from '@slotstream/protocol'
import { readValues } from '../../conditions/message-paths.js'
import { isInherited } from '../../conditions/read-path.js'
import { localTimeOf } from './local-time.js'

/** Reads what is at a path of a message: a list where there is one on the way, undefined where there is nothing. */
export type ReadPath = (message: StoredMessage) => unknown

/** ISO 4217: no currency. */
const NO_CURRENCY = 'XXX'

const readCategories = readValues('category')

/** Paths whose values are in no single place of a message. */
const DERIVED: Record<string, ReadPath> = {
  'time.hour': ({ timestamp, context }) => localTimeOf(timestamp, context?.timezone).hour,
  'time.weekday': ({ timestamp, context }) => localTimeOf(timestamp, context?.timezone).weekday,
  'time.date': ({ timestamp, context }) => localTimeOf(timestamp, context?.timezone).date,
  'order.amount': ({ properties }) => properties?.revenue ?? properties?.total,
  'order.currency': ({ properties }) => properties?.currency || NO_CURRENCY,
  'product.id': ({ properties }) => properties?.product_id ?? properties?.sku,
  // What empties the cart names no product.
  'cart.product': ({ event, properties }) =>
    properties?.product_id ?? properties?.sku ?? (event?.startsWith('Product') ? undefined : event),
  'product.category': message => {
    const category = categoryOf(message)
    const products = message.properties?.products
    return Array.isArray(products) ? [category, ...readCategories(products)] : category
  },
}

/** Returns the category of a message as a whole: its own, else that of the content that it names. */
export function categoryOf({ properties, context }: StoredMessage): unknown {
  return properties?.category ?? context?.content?.category
}

/** Tells whether a path is the name of a derived one. */
export function isDerived(path: string): boolean {
  return Object.hasOwn(DERIVED, path)
}

/**
 * Compiles a path of a message, such as `properties.products.category`, or the name of a derived one. `time.hour` and
 * `time.weekday` are those of the message in its sender's zone, see `localTimeOf`.
 */
export function compilePath(path: string): ReadPath {
  const derived = DERIVED[path]
  if (derived) return derived
  const readAll = readValues(path)
  const keys = path.split('.')
  const isNeverInherited = !keys.some(isInherited)
  // Nearly every path leads straight to one value, and to read that takes a third of the time.
  return message => {
    let value: unknown = message
    for (let depth = 0; depth < keys.length; depth++) {
      if (typeof value !== 'object' || value === null) return undefined
      if (Array.isArray(value)) return readAll(message)
      const key = keys[depth]!
      value = isNeverInherited || Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
    }
    return typeof value === 'object' && value !== null ? readAll(message) : value
  }
}
