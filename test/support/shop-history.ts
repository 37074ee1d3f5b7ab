import { type EventEnvelope, type JsonObject, type StoredMessage, visitorIdOf } from '@slotstream/protocol'
import { createRandom, type Random } from '../chaos/random.js'

const SITE = 'demo'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const CATEGORIES = ['tents', 'shoes', 'stoves', 'maps', 'lamps']

/**
 * Makes what shoppers send, as the collector stores it, in the order of arrival: people with one or two browsers who
 * log in now and then, a tablet of many users, servers that know only the user, claims without a signature, messages
 * that come a day late, and batches that are sent twice.
 *
 * @param until time of the latest visit, in milliseconds since the epoch; the first one is 40 days before
 * @param visits number of visits; each has some 10 messages
 */
export function shopHistory(seed: number, until: number, visits: number): EventEnvelope[] {
  const random = createRandom(seed)
  const made: { arrives: number; envelope: EventEnvelope }[] = []
  const people = Math.ceil(visits / 8)
  for (let visit = 0; visit < visits; visit++) {
    const person = random.int(0, people - 1)
    const at = until - Math.floor(random.next() * 40 * DAY)
    const isTablet = person % 20 === 19
    const browser = isTablet ? 'tablet' : `b${person}${random.int(0, 3) === 0 ? '-phone' : ''}`
    // Half of the people have no account; a user of the tablet is another one each time.
    const user = isTablet ? `guest-${random.int(0, 8)}` : person % 2 === 0 ? `u${person}` : ''
    for (const [from, messages] of batchesOf(random, visitOf(random, visit, at, browser, user))) {
      const sender = person % 11 === 10 && random.int(0, 2) === 0 ? ('unsigned' as const) : undefined
      const isLate = random.int(0, 9) === 0
      const arrives = Math.min(from + (isLate ? random.int(1, 24) * HOUR : random.int(0, 5_000)), until)
      const envelope = {
        siteId: SITE,
        visitorId: visitorIdOf(messages[0]!),
        receivedAt: new Date(arrives).toISOString(),
        ...(sender && { sender }),
        messages,
      }
      made.push({ arrives, envelope })
      if (random.int(0, 14) === 0) made.push({ arrives: arrives + 1, envelope })
    }
    if (user && random.int(0, 3) === 0) made.push(ofServer(random, visit, Math.min(at + HOUR, until), user))
  }
  return made.sort((a, b) => a.arrives - b.arrives).map(({ envelope }) => envelope)
}

/** Messages of a visit, some minutes apart. Some visits name their session, and in some the visitor logs in. */
function visitOf(random: Random, visit: number, begin: number, anonymousId: string, user: string): StoredMessage[] {
  const session = random.int(0, 3) > 0 ? { sessionId: `s${visit}` } : {}
  const device = { type: random.pick(['mobile', 'desktop']) }
  const traffic = {
    channel: random.pick(['direct', 'search', 'email']),
    source: random.pick(['', 'news', 'shop.example']),
  }
  const context = { ...session, device, traffic, timezone: random.pick(['Europe/Berlin', 'Asia/Kolkata', 'nowhere']) }
  const messages: StoredMessage[] = []
  let isKnown = random.int(0, 2) === 0
  let at = begin
  for (let step = 0; step < random.int(3, 16); step++) {
    at += random.int(1, 4 * MINUTE)
    const logsIn = user !== '' && !isKnown && random.int(0, 5) === 0
    isKnown ||= logsIn
    messages.push({
      ...messageAt(`m${visit}-${step}`, at),
      anonymousId,
      ...(isKnown && user && { userId: user }),
      context,
      ...(logsIn
        ? { type: 'identify', traits: { plan: random.pick(['free', 'paid']) } }
        : somethingDone(random, visit)),
    })
  }
  return messages
}

function messageAt(messageId: string, at: number): StoredMessage {
  const timestamp = new Date(at).toISOString()
  return { messageId, type: 'track', timestamp, originalTimestamp: timestamp, sentAt: timestamp }
}

function somethingDone(random: Random, visit: number): Partial<StoredMessage> {
  const product = random.int(1, 30)
  const about = { product_id: random.int(0, 1) === 0 ? `p${product}` : product, category: CATEGORIES[product % 5]! }
  const price = random.int(1, 9_999) / 100
  const track = (event: string, properties: JsonObject): Partial<StoredMessage> => ({ event, properties })
  const order = {
    order_id: `o${visit}`,
    total: price,
    currency: random.pick(['EUR', 'USD']),
    products: [about, { product_id: 'p0', category: random.pick(CATEGORIES) }],
  }
  return random.pick<() => Partial<StoredMessage>>([
    () => ({ type: 'page', properties: { category: about.category, path: `/p/${product}` } }),
    () => ({ type: 'page', properties: {} }),
    () =>
      track('Product Viewed', {
        ...about,
        brand: random.pick(['Ural', 'Fjord']),
        tags: ['new', about.category],
        price,
      }),
    () => track('Product Viewed', { ...about, price }),
    () => track('Product Added', { ...about, price, quantity: random.int(1, 3) }),
    () => track('Product Removed', { ...about, quantity: 1 }),
    () => track('Order Completed', order),
    () => track('Page Engaged', { activeMs: random.int(1, 60_000), category: about.category }),
    () => track('Slot Viewed', { slotId: 'hero', contentId: `c${product}` }),
    () => track('Slot Clicked', { slotId: 'hero', contentId: `c${product}` }),
    () => track('Element Clicked', { since: '2026-01-02', at: '2026-01-02T10:00:00Z', none: null, nested: [[1], []] }),
  ])()
}

/** Cuts messages into what is sent together; each with the time of its last message. */
function batchesOf(random: Random, messages: StoredMessage[]): [at: number, messages: StoredMessage[]][] {
  const batches: [number, StoredMessage[]][] = []
  for (let first = 0; first < messages.length; ) {
    const batch = messages.slice(first, first + random.int(1, 5))
    batches.push([Date.parse(batch.at(-1)!.timestamp), batch])
    first += batch.length
  }
  return batches
}

function ofServer(random: Random, visit: number, at: number, userId: string) {
  const message = { ...messageAt(`server-${visit}`, at), userId, ...somethingDone(random, visit) }
  const envelope: EventEnvelope = {
    siteId: SITE,
    visitorId: visitorIdOf(message),
    receivedAt: message.timestamp,
    sender: 'secret',
    messages: [message],
  }
  return { arrives: at, envelope }
}
