import type { Content, Slot } from '@slotstream/protocol'

const COUNTRIES = ['DE', 'FR', 'IT', 'ES', 'PL']
const CATEGORIES = 10

/** Slots that a page asks for at once: learning and ranking, one of them with several positions. */
export const FULL_SLOTS: Slot[] = [
  { id: 'hero', count: 1, holdout: 0 },
  { id: 'list', count: 3, holdout: 0, policy: { type: 'contextual' } },
  { id: 'teaser', count: 1, holdout: 0, policy: { type: 'popular' } },
]

/** Returns content of all slots, a fifth of which meets the condition of a visitor, half of it with a cap. */
export function fullContent(count: number): Content[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `content-${n}`,
    slots: FULL_SLOTS.map(({ id }) => id),
    category: `category-${n % CATEGORIES}`,
    payload: { title: `What is new: ${n}`, image: `/images/${n}.jpg`, href: `/content/${n}` },
    where: { 'context.country': COUNTRIES[n % COUNTRIES.length]!, 'profile.events': { $gte: 0 } },
    ...(n % 2 === 0 && { caps: [{ count: 20, per: '24h' as const }] }),
  }))
}

/**
 * Returns the n-th request of so many visitors, in an order that looks random: a prime step does not divide their
 * number.
 */
export function fullRequest(n: number, visitors: number) {
  const visitor = (n * 7_919) % visitors
  return {
    anonymousId: `visitor-${visitor}`,
    slots: FULL_SLOTS.map(({ id }) => ({ id })),
    context: {
      sessionId: `session-${visitor}`,
      country: COUNTRIES[visitor % COUNTRIES.length],
      daypart: n % 2 === 0 ? 'morning' : 'afternoon',
      device: visitor % 3 === 0 ? 'phone' : 'laptop',
    },
  }
}
