import type { JsonObject, StoredMessage } from '@slotstream/protocol'
import { createRandom, type Random } from '../../../chaos/random.js'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The year begins here. */
export const START = Date.UTC(2025, 0, 1)

const CATEGORIES = ['tents', 'shoes', 'stoves', 'maps', 'lamps', 'skis', 'bikes', 'books']

/** A change of taste that was planted: from this time on the shopper looks at something else. */
export interface PlantedShift {
  at: number
  to: string
  /**
   * Ids of the relevant messages from then on, in order: looks at products. What follows a look is about the same
   * product.
   */
  relevant: string[]
}

/** What one browser sends in a year, in order of time, and what is known about it. */
export interface Shopper {
  id: string
  kind: 'steady' | 'shared' | 'seldom' | 'heavy' | BotKind
  isBot: boolean
  messages: StoredMessage[]
  shifts: PlantedShift[]
  /** Times at which carts turned out to be abandoned: 30 minutes after something was put into them. */
  abandoned: number[]
}

/**
 * Kinds of programs: one that fetches everything, one that looks in every minute, one that takes its time, one in
 * bursts.
 */
const BOTS = ['scraper', 'monitor', 'crawler', 'burst'] as const

type BotKind = (typeof BOTS)[number]

/** How many browsers of each kind there are. */
const POPULATION: [kind: Shopper['kind'], count: number][] = [
  ['steady', 10],
  ['shared', 2],
  ['seldom', 100],
  ['heavy', 2],
  ...BOTS.map((kind): [BotKind, number] => [kind, 3]),
]

/** Makes a year of shoppers. The same seed gives the same year. */
export function* yearOfShoppers(seed: number): Generator<Shopper> {
  const random = createRandom(seed)
  for (const [kind, count] of POPULATION)
    for (let n = 0; n < count; n++) {
      const id = `${kind}-${n}`
      yield BOTS.some(bot => bot === kind) ? botOf(random, id, kind as BotKind) : personOf(random, id, kind)
    }
}

/** Tastes of a person: a main one, and the others in shares that drift and have their seasons. */
interface Taste {
  main: string
  share: number
  others: Map<string, number>
}

function tasteOf(random: Random, except: readonly string[] = []): Taste {
  const main = random.pick(CATEGORIES.filter(name => !except.includes(name)))
  const others = new Map(CATEGORIES.filter(name => name !== main).map(name => [name, 0.2 + random.next()]))
  return { main, share: 0.9 + 0.08 * random.next(), others }
}

function categoryOf(random: Random, { main, share, others }: Taste, at: number): string {
  if (random.next() < share) return main
  const seasonal = [...others].map(([name, weight]): [string, number] => [name, weight * seasonOf(name, at)])
  let left = random.next() * seasonal.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [name, weight] of seasonal) {
    left -= weight
    if (left < 0) return name
  }
  return main
}

/** Each category has its season: half a year later it sells a third as well. */
function seasonOf(category: string, at: number): number {
  const phase = CATEGORIES.indexOf(category) / CATEGORIES.length
  return 1 + 0.5 * Math.cos(2 * Math.PI * ((at - START) / (365 * DAY) - phase))
}

function drift(random: Random, { others }: Taste): void {
  for (const [name, weight] of others) others.set(name, Math.max(0.1, weight * (0.7 + 0.6 * random.next())))
}

/** Adds messages to a shopper. */
interface Pen {
  shopper: Shopper
  random: Random
  /** Whether pages tell of clicks and activity: not every site has that. */
  isCaptured: boolean
  write(at: number, event: string, properties?: JsonObject, session?: string): StoredMessage
}

function penOf(random: Random, id: string, kind: Shopper['kind'], isBot: boolean): Pen {
  const shopper: Shopper = { id, kind, isBot, messages: [], shifts: [], abandoned: [] }
  return {
    shopper,
    random,
    isCaptured: random.next() < 0.7,
    write(at, event, properties = {}, session = '') {
      const message: StoredMessage = {
        messageId: `${id}-${shopper.messages.length}`,
        type: event === 'page' ? 'page' : 'track',
        ...(event !== 'page' && { event }),
        anonymousId: id,
        timestamp: new Date(at).toISOString(),
        properties,
        ...(session && { context: { sessionId: session } }),
      }
      shopper.messages.push(message)
      return message
    },
  }
}

function personOf(random: Random, id: string, kind: Shopper['kind']): Shopper {
  const pen = penOf(random, id, kind, false)
  const daysBetween = kind === 'seldom' ? 25 : kind === 'heavy' ? 6 : 4
  // A device that two people share: now the one is at it, now the other.
  const tastes = kind === 'shared' ? [tasteOf(random), tasteOf(random)] : [tasteOf(random)]
  const former = [tastes[0]!.main]
  const changes = kind === 'shared' ? [] : changesOf(random)
  let drifts = START + 30 * DAY
  let at = START + random.int(0, 5 * DAY)
  for (let visit = 0; at < START + 365 * DAY; visit++) {
    while (at > drifts) {
      for (const taste of tastes) drift(random, taste)
      drifts += 30 * DAY
    }
    const change = changes[0]
    if (change !== undefined && at >= change) {
      changes.shift()
      tastes[0] = tasteOf(random, former)
      former.push(tastes[0].main)
      pen.shopper.shifts.push({ at, to: tastes[0].main, relevant: [] })
    }
    at = visitOf(pen, at, visit, random.pick(tastes), kind === 'heavy' ? 60 : 12)
    at += HOUR + random.int(0, 2 * daysBetween * DAY)
  }
  return pen.shopper
}

/** One to three changes of taste, two months apart at least. */
function changesOf(random: Random): number[] {
  const count = random.int(1, 3)
  return Array.from({ length: count }, (_, n) => START + (60 + n * 100 + random.int(0, 35)) * DAY)
}

/** A visit: pages and products, some seconds or minutes apart, and a cart now and then. Returns its end. */
function visitOf(pen: Pen, begin: number, visit: number, taste: Taste, most: number): number {
  const { random, shopper, isCaptured } = pen
  const session = random.next() < 0.8 ? `${shopper.id}-s${visit}` : ''
  const cart: { at: number; isOrder: boolean }[] = []
  let at = begin
  const write = (event: string, properties?: JsonObject) => {
    const { messageId } = pen.write(at, event, properties, session)
    if (event === 'Product Viewed') shopper.shifts.at(-1)?.relevant.push(messageId)
  }
  for (let step = 0; step < random.int(3, most); step++) {
    at += Math.round((3 + random.next() ** 3 * 240) * SECOND)
    write('page')
    const category = categoryOf(random, taste, at)
    const product = { product_id: `${category}-${random.int(1, 40)}`, category }
    at += SECOND
    write('Product Viewed', product)
    if (isCaptured && random.int(0, 1) === 0) {
      at += 2 * SECOND
      write('Page Engaged', { activeMs: random.int(500, 30_000) })
    }
    if (random.int(0, 7) !== 0) continue
    // Some take more than half an hour from one thing to the next.
    at += Math.round((random.int(0, 3) === 0 ? 31 + random.next() * 30 : random.next() * 5) * MINUTE)
    write('Product Added', { ...product, cart_id: `${shopper.id}-c${visit}` })
    cart.push({ at, isOrder: false })
  }
  if (cart.length > 0 && random.int(0, 1) === 0) {
    at += Math.round((random.int(0, 4) === 0 ? 35 : random.next() * 10) * MINUTE)
    write('Order Completed', {
      order_id: `o${visit}`,
      cart_id: `${shopper.id}-c${visit}`,
      category: taste.main,
      total: 10,
    })
    cart.push({ at, isOrder: true })
  }
  for (const [index, { at: addedAt, isOrder }] of cart.entries()) {
    const next = cart[index + 1]?.at ?? Number.POSITIVE_INFINITY
    if (!isOrder && next - addedAt >= 30 * MINUTE) shopper.abandoned.push(addedAt + 30 * MINUTE)
  }
  return at
}

/** A program's visits. Some pages tell of clicks, because it runs them. */
function botOf(random: Random, id: string, kind: BotKind): Shopper {
  const pen = penOf(random, id, kind, true)
  const look = (at: number, n: number) => {
    pen.write(at, 'page')
    if (n % 3 === 0) pen.write(at + 100, 'Product Viewed', { product_id: `p${n}`, category: CATEGORIES[n % 8]! })
  }
  let at = START + random.int(0, 300) * DAY
  const pages = { scraper: 600, monitor: 1_440, crawler: 1_200, burst: 150 }[kind]
  for (let n = 0; n < pages; n++) {
    look(at, n)
    const seconds = { scraper: 1 + random.next(), monitor: 60, crawler: 20 + 40 * random.next(), burst: 0.3 }[kind]
    at += Math.round(seconds * SECOND)
  }
  return pen.shopper
}
