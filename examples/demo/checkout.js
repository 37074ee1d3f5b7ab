// @ts-check
import { CART_CHANGED, cartLines, cartTotal, emptyCart, setQuantity } from './cart.js'
import { byId, el, icon } from './dom.js'
import { CURRENCY, formatPrice, productProperties } from './products.js'
import './shell.js'
import { track } from './slotstream.js'

const content = byId('cart-content')
const title = byId('cart-title')

/** @param {string} label @param {string} sign @param {string} id @param {() => void} onClick */
function stepButton(label, sign, id, onClick) {
  const button = el('button', { type: 'button', id, 'aria-label': label }, sign)
  button.addEventListener('click', onClick)
  return button
}

/** @param {import('./cart.js').CartLine} line */
function lineView({ product, quantity }) {
  const remove = el('button', { type: 'button', class: 'link', 'aria-label': `Remove ${product.name}` }, 'Remove')
  remove.addEventListener('click', () => {
    setQuantity(product.id, 0)
    // The button that had the focus is gone with its line.
    title.focus()
  })
  return el(
    'li',
    { class: 'line' },
    el('img', { src: `images/${product.id}.svg`, alt: '', width: '480', height: '480' }),
    el(
      'div',
      { class: 'line-copy' },
      el('a', { href: `product.html?p=${product.id}` }, product.name),
      el('span', { class: 'muted' }, `${formatPrice(product.price)} each`),
      remove,
    ),
    el(
      'div',
      { class: 'stepper' },
      stepButton(`One ${product.name} less`, '−', `less-${product.id}`, () => setQuantity(product.id, quantity - 1)),
      el('span', { role: 'status' }, String(quantity)),
      stepButton(`One ${product.name} more`, '+', `more-${product.id}`, () => setQuantity(product.id, quantity + 1)),
    ),
    el('p', { class: 'price' }, formatPrice(product.price * quantity)),
  )
}

function placeOrder() {
  const lines = cartLines()
  const orderId = `FB-${Date.now().toString(36).toUpperCase()}`
  track('Order Completed', {
    order_id: orderId,
    revenue: cartTotal(),
    currency: CURRENCY,
    products: lines.map(line => ({ ...productProperties(line.product), quantity: line.quantity })),
  })
  window.removeEventListener(CART_CHANGED, show)
  emptyCart()
  title.textContent = 'Thank you!'
  content.replaceChildren(
    el(
      'div',
      { class: 'notice' },
      el('span', { class: 'seal' }, icon('check')),
      el('p', { class: 'lead' }, 'Your order is on its imaginary way.'),
      el('p', {}, 'Order number ', el('strong', { id: 'order-id' }, orderId)),
      el('a', { class: 'button', href: './' }, 'Back to the shop'),
    ),
  )
  title.focus()
}

function cartView() {
  const total = formatPrice(cartTotal())
  const order = el('button', { type: 'button', class: 'button wide', id: 'place-order' }, 'Place order')
  order.addEventListener('click', placeOrder)
  return el(
    'div',
    { class: 'checkout' },
    el('ul', { class: 'lines' }, ...cartLines().map(lineView)),
    el(
      'section',
      { class: 'summary', 'aria-labelledby': 'summary-title' },
      el('h2', { id: 'summary-title' }, 'Summary'),
      el(
        'dl',
        {},
        el('div', {}, el('dt', {}, 'Goods'), el('dd', {}, total)),
        el('div', {}, el('dt', {}, 'Delivery'), el('dd', {}, 'Free')),
        el('div', { class: 'total' }, el('dt', {}, 'Total'), el('dd', {}, total)),
      ),
      order,
      el('p', { class: 'muted small' }, 'A demo shop: nothing is charged, nothing is shipped.'),
    ),
  )
}

const emptyView = () =>
  el(
    'div',
    { class: 'notice' },
    el('p', { class: 'lead' }, 'Nothing in here yet.'),
    el('p', {}, 'The lantern is a good place to start.'),
    el('a', { class: 'button', href: './' }, 'Have a look around'),
  )

function show() {
  const focused = document.activeElement?.id
  content.replaceChildren(cartLines().length > 0 ? cartView() : emptyView())
  // Every change redraws the list: the button just pressed keeps the focus.
  if (focused) document.getElementById(focused)?.focus()
}

window.addEventListener(CART_CHANGED, show)
show()
