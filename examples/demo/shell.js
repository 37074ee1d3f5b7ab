// @ts-check
// What every page has: the cart's count, the account, the corner panel.
import { startAccount } from './account.js'
import { CART_CHANGED, cartCount } from './cart.js'
import { byId } from './dom.js'
import { startPanel } from './panel.js'

function showCartCount() {
  const count = cartCount()
  const badge = byId('cart-count')
  badge.textContent = String(count)
  badge.hidden = count === 0
  byId('cart-label').textContent = count === 1 ? 'Cart, 1 item' : `Cart, ${count} items`
}

window.addEventListener(CART_CHANGED, showCartCount)
// A page that comes back from the back-forward cache shows what happened meanwhile.
window.addEventListener('pageshow', showCartCount)
showCartCount()
startAccount()
startPanel()
