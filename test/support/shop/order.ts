import type { JsonObject } from '@slotstream/protocol'
import { type Browser, type ShopBook, send, sendFromServer } from './book.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** What pages send that is no number. */
const NO_NUMBERS = ['NaN', 'Infinity', '1,234.56', '$12.50', '', true]

/** An order of a browser: sent by its page, perhaps again, perhaps by a server too or alone, and perhaps refunded. */
export function order(book: ShopBook, browser: Browser, time: number): void {
  const { random } = book
  const properties = propertiesOf(book, browser)
  const event = 'Order Completed'
  const isServersAlone = browser.user !== '' && random.next() < 0.15
  if (isServersAlone) sendFromServer(book, browser.user, time, { event, properties })
  else send(book, browser, time, { event, properties })
  if (properties.order_id === undefined) return
  if (random.next() < 0.25) send(book, browser, time + random.int(1, 300) * 1000, { event, properties })
  if (random.next() < 0.05) send(book, browser, time + DAY + random.int(1, 9) * HOUR, { event, properties })
  if (browser.user !== '' && random.next() < 0.3)
    sendFromServer(book, browser.user, time + random.int(-5, 60) * 1000, { event, properties })
  refund(book, browser, time, properties)
}

function propertiesOf(book: ShopBook, browser: Browser): JsonObject {
  const { random } = book
  const products = Array.from({ length: random.int(1, 3) }, () => productOf(book))
  const cents = products.reduce(
    (sum, { price, quantity }) => sum + Math.round(Number(price) * 100) * (Number(quantity) || 1),
    0,
  )
  const discount = random.next() < 0.2 ? Math.round(cents / 10) : 0
  const roll = random.next()
  const revenue = (cents - discount) / 100
  const currency = random.next() < 0.05 ? (browser.currency === 'EUR' ? 'USD' : 'EUR') : browser.currency
  return {
    ...(random.next() < 0.04
      ? {}
      : { order_id: random.next() < 0.1 ? Number(book.id('1').slice(2)) : book.id('order') }),
    ...(roll < 0.06
      ? { revenue: random.pick(NO_NUMBERS) }
      : roll < 0.12
        ? {}
        : { revenue: roll < 0.2 ? String(revenue) : revenue }),
    total: (cents - discount + 490) / 100,
    shipping: 4.9,
    tax: roll > 0.9 ? 'none' : 1.27,
    ...(discount ? { discount: discount / 100, coupon: 'SPRING' } : {}),
    ...(random.next() < 0.03 ? {} : { currency: random.next() < 0.1 ? currency.toLowerCase() : currency }),
    products,
  }
}

function productOf({ random }: ShopBook): JsonObject {
  const quantity = random.int(1, 3)
  return {
    product_id: `sku-${random.int(1, 9)}`,
    name: random.pick(['Tent 2/3', 'Stove', 'Mug']),
    category: random.pick(['camping', 'kitchen']),
    price: random.int(199, 9999) / 100,
    ...(quantity === 1 ? {} : { quantity: random.next() < 0.1 ? String(quantity) : quantity }),
  }
}

function refund(book: ShopBook, browser: Browser, time: number, { order_id, currency, products }: JsonObject): void {
  const { random } = book
  const event = 'Order Refunded'
  const at = time + random.int(1, 5 * 24) * HOUR
  const roll = random.next()
  const isServers = browser.user !== '' && random.next() < 0.5
  const give = (time: number, properties: JsonObject) =>
    isServers
      ? sendFromServer(book, browser.user, time, { event, properties })
      : send(book, browser, time, { event, properties })
  if (roll < 0.08) give(at, { order_id: order_id! })
  else if (roll < 0.16) give(at, { order_id: order_id!, total: 5.5, ...(currency ? { currency } : {}) })
  else if (roll < 0.22) give(at, { order_id: order_id!, products: (products as JsonObject[]).slice(0, 1) })
  else if (roll < 0.25) give(at, { order_id: order_id!, total: 3, currency: 'GBP' })
  // Too much altogether.
  if (roll < 0.02) give(at + HOUR, { order_id: order_id!, total: '20000' })
}
