import type { FeatureRow, JsonObject } from '@slotstream/protocol'
import { numberOf } from '../input/scalar.js'
import type { Aggregate } from './aggregate.js'

/** Changes of a cart that count: the latest. */
export const MAX_CHANGES = 50

/** A change of a product's quantity in the cart. */
type Change = [at: number, messageId: string, productId: string, quantity: number]

/** Time when the cart was last emptied, in milliseconds since the epoch, and the changes since, the latest last. */
type Cart = [emptiedAt: number, changes: FeatureRow[]]

/**
 * The cart: what was added and removed since the last order. A negative weight removes; a weight of 0 empties the cart.
 * The value has the quantity by product, and their sum.
 */
export const cart: Aggregate<Cart> = {
  add(row = [0, []], { value, weight, at, messageId, properties }) {
    if (weight === 0) return since(Math.max(at, row[0]), row[1] as Change[])
    const quantity = Math.abs(numberOf(properties?.quantity) ?? 1)
    return since(row[0], [...(row[1] as Change[]), [at, messageId, String(value), weight * quantity]])
  },
  merge: (a, b) => since(Math.max(a[0], b[0]), [...(a[1] as Change[]), ...(b[1] as Change[])]),
  value(row) {
    const quantities = new Map<string, number>()
    for (const [, , productId, quantity] of (row?.[1].slice(-MAX_CHANGES) ?? []) as Change[])
      quantities.set(productId, Math.max(0, (quantities.get(productId) ?? 0) + quantity))
    const products = [...quantities].filter(([, quantity]) => quantity > 0)
    return {
      products: Object.fromEntries(products) as JsonObject,
      quantity: products.reduce((sum, [, quantity]) => sum + quantity, 0),
    }
  },
}

/** Returns the cart with the latest changes after a time: one more than count, which tells that there were too many. */
function since(emptiedAt: number, changes: Change[]): Cart {
  const later = changes
    .filter(([at]) => at > emptiedAt)
    .sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : a[2] < b[2] ? -1 : 1))
  return [emptiedAt, later.slice(-MAX_CHANGES - 1)]
}
