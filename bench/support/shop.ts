import type { Content, Message, Slot } from '@slotstream/protocol'

export const SLOT_ID = 'hero'
const CATEGORIES = 10

/**
 * One content per category, and a slot that shows that of the visitor's favourite: an answer that is plain to check.
 */
export const SHOP: { slots: Slot[]; content: Content[] } = {
  slots: [{ id: SLOT_ID, policy: { type: 'affinity', exploration: 0 }, count: 1, holdout: 0 }],
  content: Array.from({ length: CATEGORIES }, (_, n) => ({
    id: contentFor(n),
    slots: [SLOT_ID],
    category: categoryOf(n),
    payload: { title: `What is new in ${categoryOf(n)}`, image: `/images/${n}.jpg`, href: `/category/${n}` },
  })),
}

function categoryOf(n: number): string {
  return `category-${n % CATEGORIES}`
}

/** Returns the content that a visitor should see whose only interest is category `n`. */
export function contentFor(n: number): string {
  return `content-${n % CATEGORIES}`
}

/** Returns the message of a visitor who looks at a product of category `n`. */
export function productViewed(messageId: string, anonymousId: string, n: number): Message {
  return {
    messageId,
    type: 'track',
    event: 'Product Viewed',
    anonymousId,
    timestamp: new Date().toISOString(),
    properties: { product_id: `sku-${n}`, category: categoryOf(n), price: 19.9, currency: 'EUR' },
    context: { sessionId: `session-${anonymousId}`, page: { path: `/products/${n}` } },
  }
}
