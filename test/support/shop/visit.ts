import type { JsonObject } from '@slotstream/protocol'
import { type Browser, type ShopBook, send } from './book.js'
import { order } from './order.js'
import { askForSlot } from './slots.js'

const MINUTE = 60_000

/** Where visitors come from, as the collector would classify it. */
const ORIGINS: { traffic: JsonObject; campaign?: JsonObject; referrer: string }[] = [
  { traffic: { channel: 'direct' }, referrer: '' },
  { traffic: { channel: 'direct' }, referrer: '' },
  { traffic: { channel: 'search', source: 'google' }, referrer: 'https://www.google.com/' },
  { traffic: { channel: 'referral', source: 'blog.example' }, referrer: 'https://blog.example/post' },
  {
    traffic: { channel: 'paid', source: 'google' },
    campaign: { source: 'google', medium: 'cpc', name: 'spring' },
    referrer: 'https://www.google.com/',
  },
  {
    traffic: { channel: 'email', source: 'newsletter' },
    campaign: { source: 'newsletter', medium: 'email', name: 'weekly' },
    referrer: '',
  },
]
const PATHS = ['/', '/camping', '/kitchen', '/garden', '/cart']

/** All sessions of one browser. */
export function visit(book: ShopBook, n: number, visitors: number): void {
  const { random } = book
  const isBot = n % 29 === 28
  // Fewer users than browsers that name one: some have several.
  const users = [random.int(0, Math.ceil(visitors / 3)), random.int(0, Math.ceil(visitors / 3))]
  const isKnown = n % 5 < 2
  const isShared = n % 20 === 1
  const browser: Browser = {
    id: `browser-${n}`,
    user: '',
    currency: n % 7 === 3 ? 'USD' : 'EUR',
    session: '',
    view: '',
    context: {},
  }
  const sessions = isBot ? 2 : random.int(1, 4)
  const spread = (book.now - book.from) / sessions
  for (let session = 0; session < sessions; session++) {
    const start = Math.floor(book.from + spread * session + random.next() * Math.max(0, spread - 2 * 3600_000))
    if (isShared && session === 2) browser.user = `user-${users[1]}`
    begin(book, browser, isBot)
    let time = start
    const identifiesAt = isKnown && session === Math.min(1, sessions - 1) ? random.int(0, 2) : -1
    const views = isBot ? random.int(8, 15) : random.int(1, 5)
    for (let view = 0; view < views; view++) {
      time = viewPage(book, browser, time)
      if (view === identifiesAt && browser.user === '') {
        browser.user = `user-${users[0]}`
        send(book, browser, time++, { type: 'identify', traits: { plan: 'free' } })
      }
    }
    if (!isBot && random.next() < 0.3) order(book, browser, time + random.int(1, 3) * MINUTE)
  }
}

function begin(book: ShopBook, browser: Browser, isBot: boolean): void {
  const { traffic, campaign, referrer } = book.random.pick(ORIGINS)
  browser.session = book.id('session')
  browser.context = {
    sessionId: browser.session,
    traffic,
    ...(campaign ? { campaign } : {}),
    ...(isBot ? { bot: { reason: 'user_agent', match: 'bot' } } : {}),
    page: { referrer },
  }
}

/** One page view with its slots and products; the time at which it ends. */
function viewPage(book: ShopBook, browser: Browser, start: number): number {
  const { random } = book
  const path = random.pick(PATHS)
  let time = start
  browser.view = book.id('view')
  browser.context = {
    ...browser.context,
    pageViewId: browser.view,
    page: { ...(browser.context.page as JsonObject), url: `https://shop.example${path}`, path, title: `At ${path}` },
  }
  send(book, browser, time, { type: 'page' })
  for (const slot of ['hero', 'aside', 'footer'])
    if (random.next() < 0.6) time = askForSlot(book, browser, slot, time + random.int(0, 2000))
  if (random.next() < 0.6) {
    const properties = {
      product_id: `sku-${random.int(1, 9)}`,
      category: random.pick(['camping', 'kitchen']),
      price: 9.5,
    }
    send(book, browser, ++time, { event: 'Product Viewed', properties })
    if (random.next() < 0.4) send(book, browser, ++time, { event: 'Product Added', properties })
  }
  const activeMs = random.next() < 0.03 ? 'NaN' : random.int(1, 60) * 500
  time += random.int(2, 90) * 1000
  send(book, browser, time, { event: 'Page Engaged', properties: { activeMs, scrollDepth: 0.5 } })
  return time + random.int(1, 60) * 1000
}
