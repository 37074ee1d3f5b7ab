// @ts-check
import { productCard } from './cards.js'
import { quantityOf, setQuantity } from './cart.js'
import { byId, el, icon } from './dom.js'
import { findCategory, findProduct, formatPrice, productProperties, productsIn } from './products.js'
import './shell.js'
import { track } from './slotstream.js'

/** @param {import('./products.js').Product} product */
function buyButton(product) {
  const button = el('button', { type: 'button', class: 'button', id: 'add-to-cart' }, icon('cart'), 'Add to cart')
  const status = el('p', { class: 'added', role: 'status' })
  button.addEventListener('click', () => {
    setQuantity(product.id, quantityOf(product.id) + 1)
    track('Product Added', { ...productProperties(product), quantity: 1 })
    status.replaceChildren(icon('check'), 'In your cart. ', el('a', { href: 'cart.html' }, 'Go to cart'))
  })
  return el('div', { class: 'buy' }, button, status)
}

/**
 * @param {import('./products.js').Product} product
 * @param {import('./products.js').Category} category
 */
function productView(product, category) {
  const others = productsIn(category.id).filter(other => other.id !== product.id)
  return [
    el(
      'nav',
      { class: 'crumbs', 'aria-label': 'Breadcrumb' },
      el('a', { href: './' }, 'Shop'),
      el('span', { 'aria-hidden': 'true' }, '/'),
      el('a', { href: `category.html?c=${category.id}` }, category.name),
    ),
    el(
      'article',
      { class: 'product', 'data-category': category.id },
      el('img', { class: 'product-image', src: `images/${product.id}.svg`, alt: '', width: '480', height: '480' }),
      el(
        'div',
        { class: 'product-copy' },
        el('a', { class: 'tag', href: `category.html?c=${category.id}` }, icon(category.id), category.name),
        el('h1', {}, product.name),
        el('p', { class: 'lead' }, product.line),
        el('p', { class: 'price large' }, formatPrice(product.price)),
        el('p', {}, product.about),
        el('ul', { class: 'ticks' }, ...product.details.map(detail => el('li', {}, icon('check'), detail))),
        buyButton(product),
      ),
    ),
    el(
      'section',
      { class: 'section', 'aria-labelledby': 'more' },
      el('h2', { id: 'more' }, `More in ${category.name}`),
      el('div', { class: 'cards three' }, ...others.map(productCard)),
    ),
  ]
}

const product = findProduct(new URLSearchParams(location.search).get('p'))
const category = findCategory(product?.category ?? null)

if (product && category) {
  document.title = `${product.name} · Fellbrook`
  byId('main').replaceChildren(...productView(product, category))
  track('Product Viewed', productProperties(product))
} else {
  byId('main').replaceChildren(
    el(
      'div',
      { class: 'notice' },
      el('h1', {}, 'This one has wandered off'),
      el('p', {}, 'We have no product at this address.'),
      el('a', { class: 'button', href: './' }, 'Back to the shop'),
    ),
  )
}
