import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { EventEnvelope, JsonObject, StoredMessage } from '@slotstream/protocol'

/**
 * A shop's clickstream that others made and published: `ecom.csv.gz` of retentioneering-tools (Apache-2.0, Copyright
 * 2026 Maxim Godzi, Vladimir Kukushkin, Anatoly Zaytsev). It lies beside this repository, where it is there at all.
 */
const PLACES = ['../../../', '../../../../'].map(up =>
  fileURLToPath(new URL(`${up}shared/data/ecom-clickstream/ecom.csv.gz`, import.meta.url)),
)

/** Events that are views of pages; the others are actions. */
const PAGES = new Set([
  ...['home', 'catalog', 'promo_page', 'account_page', 'cart', 'review_page', 'error_page'],
  ...['shipping_details', 'payment_details'],
])

/** Names of actions that built-in features know; others stay as they are. */
const NAMES: Readonly<Record<string, string>> = {
  product_view: 'Product Viewed',
  add_to_cart: 'Product Added',
  purchase: 'Order Completed',
}

/**
 * Reads the clickstream as messages of a site, one envelope for each session, in the order of the sessions' ends. The
 * file has neither products nor prices: they are made of the line's number.
 *
 * @param every takes each user of so many
 * @returns undefined where the file is not there
 */
export function readClickstream(siteId: string, every: number): EventEnvelope[] | undefined {
  const path = PLACES.find(existsSync)
  if (!path) return undefined
  const sessions = new Map<string, StoredMessage[]>()
  const [, ...lines] = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n')
  for (const [index, line] of lines.entries()) {
    const message = messageOf(line, index)
    if (Number(message.anonymousId!.slice('user_'.length)) % every !== 0) continue
    const { sessionId } = message.context as { sessionId: string }
    sessions.set(sessionId, [...(sessions.get(sessionId) ?? []), message])
  }
  const receivedAt = new Date().toISOString()
  return [...sessions.values()]
    .sort((a, b) => (a.at(-1)!.timestamp < b.at(-1)!.timestamp ? -1 : 1))
    .map(messages => ({ siteId, visitorId: messages[0]!.anonymousId!, receivedAt, messages }))
}

function messageOf(line: string, index: number): StoredMessage {
  const [anonymousId = '', sessionId = '', event = '', time = '', platform = '', channel = ''] = line.trim().split(',')
  const timestamp = `${time.replace(' ', 'T')}.000Z`
  const isPage = PAGES.has(event)
  return {
    messageId: `line-${index}`,
    type: isPage ? 'page' : 'track',
    ...(!isPage && { event: NAMES[event] ?? event }),
    anonymousId,
    timestamp,
    originalTimestamp: timestamp,
    properties: propertiesOf(event, index),
    context: { sessionId, device: { type: platform }, traffic: { channel } },
  }
}

function propertiesOf(event: string, index: number): JsonObject {
  const product = { product_id: `p${index % 97}`, category: `c${index % 7}` }
  switch (event) {
    case 'product_view':
    case 'add_to_cart':
      return { ...product, price: (index % 5_000) / 100 }
    case 'purchase':
      return { order_id: `o${index % 400}`, total: (index % 9_000) / 100, currency: index % 3 === 0 ? 'USD' : 'EUR' }
    default:
      return PAGES.has(event) ? { category: event } : {}
  }
}
