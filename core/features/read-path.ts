import type { StoredMessage } from '@slotstream/protocol'
import { localTimeOf } from './local-time.js'

/** Most values that one path yields of one message. */
const MAX_VALUES = 50

/** Reads what is at a path of a message: a list where there is one on the way, undefined where there is nothing. */
export type ReadPath = (message: StoredMessage) => unknown

/** ISO 4217: no currency. */
const NO_CURRENCY = 'XXX'

/** Paths whose values stand in no single place of a message. */
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
  'product.category': ({ properties, context }) => {
    const category = properties?.category ?? context?.content?.category
    return Array.isArray(properties?.products) ? inList(properties.products, ['category'], [category]) : category
  },
}

/**
 * Compiles a path of a message, such as `properties.products.category`, or the name of a derived one. `time.hour` and
 * `time.weekday` are those of the message in its sender's zone, see `localTimeOf`.
 */
export function compilePath(path: string): ReadPath {
  const derived = DERIVED[path]
  if (derived) return derived
  const names = path.split('.')
  return message => {
    let value: unknown = message
    for (let depth = 0; depth < names.length; depth++) {
      if (Array.isArray(value)) return inList(value, names.slice(depth))
      const name = names[depth]!
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
      value = (value as Record<string, unknown>)[name]
    }
    return Array.isArray(value) ? inList(value, []) : value
  }
}

function inList(list: readonly unknown[], names: readonly string[], found: unknown[] = []): unknown[] {
  for (const entry of list) {
    if (found.length >= MAX_VALUES) break
    collect(entry, names, found)
  }
  return found
}

function collect(value: unknown, names: readonly string[], found: unknown[]): void {
  if (Array.isArray(value)) inList(value, names, found)
  else if (names.length === 0) found.push(value)
  else if (typeof value === 'object' && value !== null && Object.hasOwn(value, names[0]!))
    collect((value as Record<string, unknown>)[names[0]!], names.slice(1), found)
}
