// @ts-check
import { findProduct } from './products.js'
import { stored } from './stored.js'

/** @typedef {{ product: import('./products.js').Product, quantity: number }} CartLine */

const MAX_QUANTITY = 9

/** Quantities by product id. */
const quantities = stored('localStorage', 'fellbrook-cart', /** @type {Record<string, number>} */ ({}))

/** Dispatched on `window` after every change. */
export const CART_CHANGED = 'fellbrook:cart'

/** @param {Record<string, number>} next */
function save(next) {
  quantities.write(next)
  window.dispatchEvent(new CustomEvent(CART_CHANGED))
}

/** Reads the cart, oldest first. @returns {CartLine[]} */
export function cartLines() {
  return Object.entries(quantities.read()).flatMap(([id, quantity]) => {
    const product = findProduct(id)
    return product && quantity > 0 ? [{ product, quantity }] : []
  })
}

/** How many things are in the cart. */
export const cartCount = () => cartLines().reduce((sum, line) => sum + line.quantity, 0)

/** Returns the price of the cart. */
export const cartTotal = () => cartLines().reduce((sum, line) => sum + line.quantity * line.product.price, 0)

/** How many of a product the cart holds. @param {string} productId */
export const quantityOf = productId => quantities.read()[productId] ?? 0

/**
 * Sets how many of a product the cart holds, 9 at most; 0 takes it out.
 * @param {string} productId
 * @param {number} quantity
 */
export function setQuantity(productId, quantity) {
  const next = { ...quantities.read() }
  if (quantity > 0) next[productId] = Math.min(quantity, MAX_QUANTITY)
  else delete next[productId]
  save(next)
}

/** Takes everything out. */
export const emptyCart = () => save({})
