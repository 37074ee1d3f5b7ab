// @ts-check
// What the panel adds to the interests of the last decision: the messages since then, by the server's own weights.
// Pages without a slot ask for no decision, and visitors want to see there, too, what their visit says.

/** @type {Record<string, number>} */
const WEIGHTS = {
  'Product List Viewed': 0.5,
  'Product Viewed': 1,
  'Product Added': 3,
  'Order Completed': 5,
}

/**
 * The interests after one more message.
 * @param {Record<string, number>} affinities
 * @param {{ event?: unknown, properties?: unknown }} message
 */
export function withMessage(affinities, { event, properties }) {
  const weight = Object.hasOwn(WEIGHTS, String(event)) ? WEIGHTS[String(event)] : undefined
  if (weight === undefined) return affinities
  const { category, products } = /** @type {{ category?: unknown, products?: { category?: unknown }[] }} */ (
    properties ?? {}
  )
  const named = new Set([category, ...(products ?? []).map(product => product.category)])
  const next = { ...affinities }
  for (const name of named) if (typeof name === 'string' && name) next[name] = (next[name] ?? 0) + weight
  return next
}
