import type { DecisionRecord, JsonObject, Sender, StoredMessage } from '@slotstream/protocol'
import type { Random } from '../../chaos/random.js'

const HOUR = 3_600_000

/** A message before it has its place in the stream. */
export interface Sent {
  /** Milliseconds since the epoch, both. */
  time: number
  arrives: number
  sender: Sender
  message: Omit<StoredMessage, 'timestamp'>
}

/** What the visits of a shop are made of, and made into. */
export interface ShopBook {
  random: Random
  /** Begin and end of the history, in milliseconds since the epoch. */
  from: number
  now: number
  sent: Sent[]
  decisions: DecisionRecord[]
  /** Makes a text that no other of its kind equals. */
  id(kind: string): string
}

/** A browser in the shop, and what it knows of itself at the moment. */
export interface Browser {
  id: string
  /** The user it names; '' before it names one. */
  user: string
  currency: string
  session: string
  view: string
  context: JsonObject
}

/** Sends a message of a browser, as its page would: mostly soon, now and then hours late. */
export function send(
  book: ShopBook,
  browser: Browser,
  time: number,
  fields: Partial<StoredMessage>,
  sender: Sender = 'public',
): void {
  const { random } = book
  const isClaimed = browser.user === '' && random.next() < 0.01
  const user = isClaimed ? 'user-1' : browser.user
  const late = random.next() < 0.02 ? random.int(1, 20) * HOUR : random.int(50, 3000)
  book.sent.push({
    time,
    arrives: time + late,
    sender: isClaimed ? 'unsigned' : sender,
    message: {
      messageId: book.id('message'),
      type: 'track',
      anonymousId: browser.id,
      ...(user ? { userId: user } : {}),
      context: browser.context,
      ...fields,
    },
  })
}

/** Sends a message of a server, which knows the user and no browser. */
export function sendFromServer(book: ShopBook, user: string, time: number, fields: Partial<StoredMessage>): void {
  book.sent.push({
    time,
    arrives: time + book.random.int(20, HOUR),
    sender: 'secret',
    message: { messageId: book.id('message'), type: 'track', userId: user, context: {}, ...fields },
  })
}

/** Writes a time, in milliseconds since the epoch, as messages have it. */
export function iso(time: number): string {
  return new Date(time).toISOString()
}
