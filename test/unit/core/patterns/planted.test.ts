import type { JsonObject, StoredMessage } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { BUILTIN_PATTERNS } from '#core/patterns/builtin.js'
import { type Arrival, compiled, END, MINUTE, message, run, START, stored } from './found.js'

const VISITORS = 300
const LIMIT = 30 * MINUTE

/** Random numbers that are the same in every run (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** What one visitor did: carts that are filled, ordered in time, too late or never, and other messages. */
function shopper(index: number): StoredMessage[] {
  const random = randomOf(index + 1)
  const all: [at: number, event: string, properties: JsonObject][] = []
  for (let cart = 0; cart < 1 + random() * 3; cart++) {
    let at = START + Math.floor(random() * 300) * MINUTE
    const cartId: JsonObject = random() < 0.8 ? { cart_id: `cart-${cart}` } : {}
    for (let products = 0; products < 1 + random() * 4; products++) {
      all.push([at, 'Product Added', { ...cartId, product_id: `p${products}` }])
      at += 1 + Math.floor(random() * 40) * MINUTE
    }
    // At the limit, just before and just behind it, too.
    const wait = [1, LIMIT - 1, LIMIT, LIMIT + 1, 5 * MINUTE, 50 * MINUTE][Math.floor(random() * 9)]
    if (wait !== undefined) all.push([at + wait, 'Order Completed', random() < 0.7 ? cartId : {}])
  }
  for (let views = 0; views < 20; views++) all.push([START + Math.floor(random() * 400 * MINUTE), 'Product Viewed', {}])
  return all
    .toSorted((one, other) => one[0] - other[0])
    .map(([at, event, properties], place) => message(`v${index}-${place}`, at, event, { properties }))
}

/** Ids of the messages with which a cart was left: by the definition alone, message by message. */
function leftCarts(messages: StoredMessage[]): string[] {
  const cartOf = ({ properties }: StoredMessage) => properties?.cart_id
  const timeOf = ({ timestamp }: StoredMessage) => Date.parse(timestamp)
  return messages.flatMap((added, index) => {
    if (added.event !== 'Product Added') return []
    const ends = (other: StoredMessage) =>
      (other.event === 'Product Added' && cartOf(other) === cartOf(added)) ||
      (other.event === 'Order Completed' && (cartOf(other) === cartOf(added) || cartOf(other) === undefined))
    const isLeft = !messages.some(
      (other, place) => place > index && timeOf(other) - timeOf(added) < LIMIT && ends(other),
    )
    return isLeft ? [added.messageId] : []
  })
}

it('carts that are left are found exactly, each once, 30 minutes after the last message of the cart', () => {
  const patterns = compiled(BUILTIN_PATTERNS)
  const expected: string[] = []
  const found: string[] = []
  for (let index = 0; index < VISITORS; index++) {
    const messages = shopper(index)
    const arrivals: Arrival[] = [...messages, { fireAt: END }]
    const times = new Map(messages.map(({ messageId, timestamp }) => [messageId, Date.parse(timestamp)]))
    expected.push(...leftCarts(messages))
    for (const match of run(patterns, arrivals, undefined, stored).found) {
      if (match.pattern !== 'cart_abandonment') continue
      expect(match.at).toBe(times.get(match.messageId)! + LIMIT)
      found.push(match.messageId)
    }
  }
  expect(found.toSorted()).toEqual(expected.toSorted())
  // The set has both, and by far.
  expect(found.length).toBeGreaterThan(VISITORS / 2)
})
