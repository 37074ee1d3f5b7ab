import type { DecisionRecord, Sender, StoredMessage } from '@slotstream/protocol'
import { createRandom } from '../../chaos/random.js'
import { iso, type ShopBook } from './book.js'
import { visit } from './visit.js'

/** A message as the stream keeps it, with its place there. */
export interface ShopEvent {
  /** Position in the stream, and within the message of the stream. */
  seq: number
  index: number
  sender: Sender
  receivedAt: string
  message: StoredMessage
}

/** What happened in a shop: everything that a warehouse would be given, in the order of the stream. */
export interface Shop {
  siteId: string
  events: ShopEvent[]
  decisions: DecisionRecord[]
}

/** How large a shop, and when. */
export interface ShopOptions {
  seed: number
  visitors: number
  /** The end of its history, in milliseconds since the epoch. */
  now: number
  /** Days of its history. Default 30 */
  days?: number
  /** Default `demo` */
  siteId?: string
}

/** Messages of one message of the stream at most. */
const BATCH = 3

/**
 * Makes the history of a shop, the same for the same options: visitors with sessions, campaigns, slots, clicks and
 * orders; thank-you pages that are loaded again, refunds, two currencies, bots, users with several browsers and
 * browsers with several users, servers that know only the user, claims without a signature, numbers that are none,
 * clicks at the same millisecond, messages that came late, imported decisions, and slots whose rule of attribution
 * changes halfway.
 */
export function generateShop({ seed, visitors, now, days = 30, siteId = 'demo' }: ShopOptions): Shop {
  const random = createRandom(seed)
  const counts = new Map<string, number>()
  const book: ShopBook = {
    random,
    from: now - days * 86_400_000,
    now,
    sent: [],
    decisions: [],
    id(kind) {
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      return `${kind}-${count}`
    },
  }
  for (let n = 0; n < visitors; n++) visit(book, n, visitors)
  return { siteId, events: inStreamOrder(book), decisions: book.decisions }
}

function inStreamOrder({ sent, now }: ShopBook): ShopEvent[] {
  let seq = 0
  let index = 0
  return sent
    .filter(({ arrives }) => arrives < now)
    .sort((a, b) => a.arrives - b.arrives || (a.message.messageId < b.message.messageId ? -1 : 1))
    .map(({ time, arrives, sender, message }, place) => {
      index = place % BATCH === 0 ? 0 : index + 1
      if (index === 0) seq++
      const at = iso(time)
      return {
        seq,
        index,
        sender,
        receivedAt: iso(arrives),
        message: { ...message, timestamp: at, originalTimestamp: at, sentAt: iso(arrives) },
      }
    })
}
