import type { JsonObject } from '@slotstream/protocol'
import type { Shop, ShopEvent } from './shop.js'

/** An order, as the view `orders` should have it. Amounts are numbers, or null where none was sent that is one. */
export interface TrueOrder {
  order_id: string
  timestamp: string
  anonymous_id: string
  user_id: string
  session_id: string
  revenue: number | null
  currency: string
  total: number | null
  shipping: number | null
  tax: number | null
  discount: number | null
  coupon: string
  refunded: number | null
  net_revenue: number | null
  items: number
  products: JsonObject[]
}

/** Whole millionths: sums of them do not depend on the order of addition. */
export const millionths = (amount: number) => Math.round(amount * 1e6)

/** The events of a shop by their time, of equal times the one that is earlier in the stream first. */
export function byTime(events: ShopEvent[]): ShopEvent[] {
  return [...events].sort(
    (a, b) => Date.parse(a.message.timestamp) - Date.parse(b.message.timestamp) || a.seq - b.seq || a.index - b.index,
  )
}

/** The number that was sent as one or as text that is nothing but one; null for all else. */
function amountOf(value: unknown): number | null {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : null
}

const revenueOf = ({ revenue, total }: JsonObject) => (revenue === undefined ? amountOf(total) : amountOf(revenue))
const currencyOf = ({ currency }: JsonObject) => String(currency ?? '').toUpperCase()
const quantityOf = ({ quantity }: JsonObject) => (quantity === undefined ? 1 : (amountOf(quantity) ?? 0))

/** The user that a message names and proves. */
export const provenUser = ({ sender, message }: ShopEvent) => (sender === 'unsigned' ? '' : (message.userId ?? ''))

/** Computes the orders of a shop, by their time: each once, as it was sent first, with what was given back. */
export function trueOrders(shop: Shop): TrueOrder[] {
  const orders: TrueOrder[] = []
  const byId = new Map<string, TrueOrder>()
  const ofServers = new Set<string>()
  for (const event of byTime(shop.events)) {
    const { message } = event
    if (message.type !== 'track' || message.event !== 'Order Completed') continue
    const properties = message.properties!
    const id = properties.order_id === undefined ? '' : String(properties.order_id)
    if (event.sender === 'secret') ofServers.add(id)
    const known = byId.get(id)
    if (known && id) {
      known.anonymous_id ||= message.anonymousId ?? ''
      known.user_id ||= provenUser(event)
      continue
    }
    const order = newOrder(id, event, properties)
    orders.push(order)
    byId.set(id, order)
  }
  refund(shop, byId, ofServers)
  for (const order of orders) {
    if (order.revenue === null) order.refunded = null
    else order.refunded = Math.min(order.revenue, order.refunded ?? 0)
    order.net_revenue = order.revenue === null ? null : millionths(order.revenue - order.refunded!) / 1e6
  }
  return orders
}

function newOrder(order_id: string, event: ShopEvent, properties: JsonObject): TrueOrder {
  const products = properties.products as JsonObject[]
  return {
    order_id,
    timestamp: event.message.timestamp,
    anonymous_id: event.message.anonymousId ?? '',
    user_id: provenUser(event),
    session_id: String(event.message.context?.sessionId ?? ''),
    revenue: revenueOf(properties),
    currency: currencyOf(properties),
    total: amountOf(properties.total),
    shipping: amountOf(properties.shipping),
    tax: amountOf(properties.tax),
    discount: amountOf(properties.discount),
    coupon: String(properties.coupon ?? ''),
    refunded: 0,
    net_revenue: null,
    items: products.reduce((sum, product) => sum + quantityOf(product), 0),
    products,
  }
}

function refund({ events }: Shop, orders: Map<string, TrueOrder>, ofServers: ReadonlySet<string>): void {
  for (const { message, sender } of events) {
    if (message.type !== 'track' || message.event !== 'Order Refunded') continue
    const { order_id, revenue, total, products } = message.properties!
    const order = orders.get(String(order_id))
    if (!order || order.revenue === null) continue
    if (ofServers.has(String(order_id)) && sender !== 'secret') continue
    const amount = refundOf(message.properties!, order.revenue)
    const isWhole = revenue === undefined && total === undefined && products === undefined
    const currency = currencyOf(message.properties!)
    if (isWhole || currency === '' || currency === order.currency)
      order.refunded = (millionths(order.refunded!) + millionths(amount)) / 1e6
  }
}

function refundOf(properties: JsonObject, whole: number): number {
  const { revenue, total, products } = properties
  if (revenue !== undefined || total !== undefined) return revenueOf(properties) ?? 0
  if (products === undefined) return whole
  return (products as JsonObject[]).reduce(
    (sum, product) => sum + (amountOf(product.price) ?? 0) * quantityOf(product),
    0,
  )
}
