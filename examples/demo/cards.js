// @ts-check
import { el } from './dom.js'
import { formatPrice } from './products.js'

/**
 * A product as a card that links to its page.
 * @param {import('./products.js').Product} product
 */
export const productCard = product =>
  el(
    'article',
    { class: 'card' },
    el(
      'a',
      { href: `product.html?p=${product.id}` },
      el('img', { src: `images/${product.id}.svg`, alt: '', width: '480', height: '480', loading: 'lazy' }),
      el('h3', {}, product.name),
      el('p', { class: 'card-line' }, product.line),
      el('p', { class: 'price' }, formatPrice(product.price)),
    ),
  )
