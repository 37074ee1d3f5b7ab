import { hash32, type SignalMemory } from '@slotstream/protocol'
import type { Detector } from './detector.js'
import { productIdOf } from './product-id.js'

/** Views of one product in one session that are a signal: who comes back to it twice can't decide. */
export const VIEWS = 3

/** Products of a session that are remembered, the latest: a bound on what a profile holds. */
export const PRODUCTS = 16

/**
 * Detects a product that was viewed three times in a session and not put into the cart. Reported once for each product
 * of a session, as long as it is among the latest ones.
 */
export const repeatedView: Detector<NonNullable<SignalMemory['repeated_view']>> = ({ message, session }, memory) => {
  const viewsBefore = session === 'began' ? undefined : memory
  const { type, event, properties } = message
  const added = event === 'Product Added'
  if (session === 'late' || type !== 'track' || !(added || event === 'Product Viewed')) return { memory: viewsBefore }
  const id = productIdOf(properties)
  if (id === undefined) return { memory: viewsBefore }
  const product = hash32(id)
  const before = viewsBefore?.find(([other]) => other === product)?.[1] ?? 0
  // What is in the cart needs no more views: as if it had been reported.
  const views = added ? VIEWS : Math.min(before + 1, VIEWS)
  const others = viewsBefore?.filter(([other]) => other !== product) ?? []
  const latest: typeof others = [...others, [product, views]]
  const now = { memory: latest.slice(-PRODUCTS) }
  if (added || before !== VIEWS - 1) return now
  const { category } = properties!
  return { ...now, details: { product_id: id, views, ...(typeof category === 'string' && { category }) } }
}
