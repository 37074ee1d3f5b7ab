import type { Poster } from './poster.js'
import { productViewed, SLOT_ID } from './shop.js'

const VISITORS_PER_BATCH = 250

/** Returns the IP addresses of visitors, so that none of them meets the limits of one. */
export const addressOf = (n: number) => ({ 'X-Forwarded-For': `198.51.100.${n % 250}` })

/**
 * Makes the profiles of so many visitors, a multiple of 250, each with a look at one product.
 *
 * @throws when a batch is not accepted
 */
export async function makeVisitors(poster: Poster, count: number): Promise<void> {
  for (let first = 0; first < count; first += VISITORS_PER_BATCH) {
    const batch = Array.from({ length: VISITORS_PER_BATCH }, (_, index) =>
      productViewed(`profile-${first + index}`, `visitor-${first + index}`, first + index),
    )
    const { status, body } = await poster.post('/v1/batch', { batch }, addressOf(first / VISITORS_PER_BATCH))
    if (status !== 200) throw new Error(`profiles could not be made: ${status} ${JSON.stringify(body)}`)
  }
}

/**
 * Makes the n-th slot request of `count` such visitors, in an order that looks random and meets every profile: a prime
 * step doesn't divide their number.
 */
export const slotRequest = (n: number, count: number) => ({
  anonymousId: `visitor-${(n * 7_919) % count}`,
  slots: [{ id: SLOT_ID }],
})
