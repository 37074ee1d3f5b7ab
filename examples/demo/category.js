// @ts-check
import { productCard } from './cards.js'
import { byId, el, icon } from './dom.js'
import { findCategory, productsIn } from './products.js'
import './shell.js'
import { track } from './slotstream.js'

const category = findCategory(new URLSearchParams(location.search).get('c'))
const main = byId('main')

if (category) {
  document.title = `${category.name} · Fellbrook`
  document.querySelector(`.nav a[href$="c=${category.id}"]`)?.setAttribute('aria-current', 'page')
  const cards = productsIn(category.id).map(productCard)
  main.replaceChildren(
    el(
      'header',
      { class: 'banner', 'data-category': category.id },
      el('div', { class: 'banner-copy' }, icon(category.id), el('h1', {}, category.name), el('p', {}, category.line)),
      el('img', { src: `images/hero-${category.id}.svg`, alt: '', width: '960', height: '720' }),
    ),
    el('h2', { class: 'visually-hidden' }, 'Products'),
    el('div', { class: 'cards three' }, ...cards),
  )
  track('Product List Viewed', { category: category.id })
} else {
  main.replaceChildren(
    el(
      'div',
      { class: 'notice' },
      el('h1', {}, 'We have no such aisle'),
      el('p', {}, 'Perhaps one of the four above?'),
      el('a', { class: 'button', href: './' }, 'Back to the shop'),
    ),
  )
}
