import { type Batch, type EventEnvelope, type Message, uuidv7 } from '@slotstream/protocol'
import { BATCH_SIZE } from '../ingest/bodies.js'

/** Visitors who are on the shop at a time; each new one takes the place of an older one. */
const VISITORS = 5_000
/** Batches after which a visitor leaves. */
const BATCHES_A_VISITOR = 4

const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0',
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
]
const LOCALES = ['en-GB', 'de-DE', 'fr-FR', 'en-US', 'pl-PL']
const CATEGORIES = ['camping', 'kitchen', 'garden', 'running', 'travel', 'tools', 'lighting', 'climbing']
const ORIGIN = 'https://shop.example'

interface Visitor {
  anonymousId: string
  sessionId: string
  userAgent: string
  locale: string
  campaign?: { source: string; medium: string; name: string }
  seq: number
  batches: number
}

/**
 * Batches of what visitors of a shop do, as the SDK sends them: about 1 KB a message, most of it context, with ids
 * that are random and numbers that vary, so that neither the disk nor the compression is flattered.
 *
 * @param seed equal seeds give equal visits, save for times
 */
export function createShoppers(seed: number) {
  const random = randomNumbers(seed)
  const visitors: Visitor[] = []
  let turn = 0

  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const bytes = new Uint8Array(10)
  const newId = (now: number) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256
    return uuidv7(now, bytes)
  }

  function newcomer(now: number): Visitor {
    return {
      anonymousId: newId(now),
      sessionId: newId(now),
      userAgent: pick(BROWSERS),
      locale: pick(LOCALES),
      ...(random() < 0.25 && { campaign: { source: 'newsletter', medium: 'email', name: `week-${turn % 53}` } }),
      seq: 0,
      batches: 0,
    }
  }

  /** Returns the messages of the next visitor: page views with what is done on them. */
  function next(now: number): { batchId: string; visitorId: string; messages: Message[] } {
    const place = turn++ % VISITORS
    let visitor = visitors[place]
    if (!visitor || visitor.batches >= BATCHES_A_VISITOR) visitor = visitors[place] = newcomer(now)
    visitor.batches++
    const messages: Message[] = []
    let page = newPage(now)
    while (messages.length < BATCH_SIZE) {
      const before = (BATCH_SIZE - messages.length) * 700
      if (messages.length > 0 && random() < 0.3) page = newPage(now)
      const [type, event, properties] = deed(page.begun, page.product)
      page.begun = true
      messages.push({
        messageId: newId(now - before),
        type,
        ...(event && { event }),
        anonymousId: visitor.anonymousId,
        timestamp: new Date(now - before + Math.floor(random() * 600)).toISOString(),
        properties,
        context: {
          library: { name: 'slotstream', version: '0.1.0' },
          page: page.context,
          ...(visitor.campaign && { campaign: visitor.campaign }),
          userAgent: visitor.userAgent,
          locale: visitor.locale,
          sessionId: visitor.sessionId,
          pageViewId: page.id,
          seq: ++visitor.seq,
        },
      })
    }
    return { batchId: newId(now), visitorId: visitor.anonymousId, messages }
  }

  function newPage(now: number) {
    const category = pick(CATEGORIES)
    const product = { product_id: `sku-${Math.floor(random() * 20_000)}`, category, price: priceOf(random()) }
    const path = `/${category}/${product.product_id}`
    const context = {
      url: ORIGIN + path,
      path,
      referrer: `${ORIGIN}/${category}`,
      search: '',
      title: `${product.product_id} for ${category}: buy online at Example Shop`,
    }
    return { id: newId(now), context, product, begun: false }
  }

  function deed(begun: boolean, product: Product): [Message['type'], string, Record<string, string | number>] {
    if (!begun) return ['page', '', { name: 'Product' }]
    const chance = random()
    if (chance < 0.4) return ['track', 'Product Viewed', { ...product, currency: 'EUR' }]
    if (chance < 0.65)
      return [
        'track',
        'Page Engaged',
        { activeMs: Math.floor(random() * 15_000), scrollDepth: Number(random().toFixed(2)) },
      ]
    if (chance < 0.85)
      return [
        'track',
        'Slot Viewed',
        { slotId: 'hero', contentId: `content-${Math.floor(random() * 40)}`, decisionId: newId(turn), position: 1 },
      ]
    if (chance < 0.95) return ['track', 'Product Added', { ...product, quantity: 1, currency: 'EUR' }]
    return ['track', 'Order Completed', { order_id: newId(turn), revenue: product.price, currency: 'EUR' }]
  }

  return {
    /** Returns the next batch as a browser sends it. */
    batch(now: number): Batch & { batchId: string } {
      const { batchId, messages } = next(now)
      return { batchId, sentAt: new Date(now).toISOString(), batch: messages }
    },
    /** Returns the next batch as the collector stores it. */
    envelope(siteId: string, now: number): EventEnvelope {
      const { visitorId, messages } = next(now)
      const at = new Date(now).toISOString()
      const stored = messages.map(message => {
        const timestamp = message.timestamp ?? at
        return { ...message, timestamp, originalTimestamp: timestamp, sentAt: at }
      })
      return { siteId, visitorId, receivedAt: at, messages: stored }
    },
  }
}

type Product = { product_id: string; category: string; price: number }

function priceOf(chance: number): number {
  return Number((4 + chance * chance * 300).toFixed(2))
}

/** Creates the generator mulberry32: small, fast, and good enough for a load. Source: Tommy Ettinger, public domain. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
