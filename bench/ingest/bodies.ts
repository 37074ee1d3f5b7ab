/** Messages in a batch, as in the measurements this bench is compared with. */
export const BATCH_SIZE = 20

/** Width of the running number in every id: fixed, so that it can be written over in place. */
const DIGITS = 12
const VISITORS = 1_000

const ID = '#'.repeat(DIGITS)
const VISITOR = '@'.repeat(DIGITS)

/**
 * Bodies of `POST /v1/batch` of 20 events of about 300 bytes, each with ids of its own: a body sent twice would be
 * dropped as a duplicate and cost the server less. `next` writes new ids into one buffer, which costs the load
 * generator almost nothing; what keeps a body copies it.
 *
 * @param run distinguishes the ids of several generators
 * @param now milliseconds since the epoch
 */
export function createBodies(run: string, now: number): { next(): Buffer } {
  const timestamp = new Date(now).toISOString()
  const batch = Array.from({ length: BATCH_SIZE }, (_, index) => ({
    messageId: `${run}-${ID}-${String(index).padStart(2, '0')}`,
    type: 'track',
    event: 'Product Viewed',
    anonymousId: `visitor-${VISITOR}`,
    timestamp,
    properties: { product_id: `sku-${index}`, category: `category-${index % 4}`, price: 10 + index, currency: 'EUR' },
    context: { sessionId: `session-${VISITOR}`, page: { path: `/products/${index}` } },
  }))
  const body = Buffer.from(JSON.stringify({ batchId: `${run}-${ID}`, batch }))
  const ids = placesOf(body, ID)
  const visitors = placesOf(body, VISITOR)
  let n = 0
  return {
    next() {
      write(body, ids, n)
      write(body, visitors, n % VISITORS)
      n++
      return body
    },
  }
}

function write(body: Buffer, places: number[], n: number): void {
  const digits = String(n).padStart(DIGITS, '0')
  for (const place of places) body.write(digits, place, 'latin1')
}

function placesOf(body: Buffer, text: string): number[] {
  const places: number[] = []
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) places.push(at)
  return places
}
