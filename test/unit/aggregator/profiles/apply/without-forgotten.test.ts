import type { EventEnvelope, IdentityChange } from '@slotstream/protocol'
import { NO_TOMBSTONES } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { withoutForgotten } from '#aggregator/profiles/apply/without-forgotten.js'

const DELETED_AT = 1_000
const tombstones = {
  ...NO_TOMBSTONES,
  size: 1,
  isForgotten: (_siteId: string, { userId }: { userId?: string | undefined }, time: number) =>
    userId === 'ann' && time <= DELETED_AT,
}

const decided = (userId: string, at: number): IdentityChange => ({
  anonymousId: 'phone',
  userId,
  decision: { state: 'undone', at, cause: 'a test' },
})

it('leaves out decisions from before the deletion of a person, and no later ones', () => {
  const [before, after, other] = [decided('ann', 999), decided('ann', 1_001), decided('ben', 999)]
  const envelope: EventEnvelope = {
    siteId: 'shop',
    visitorId: 'phone',
    receivedAt: '2026-01-01T00:00:00.000Z',
    identity: [before, after, other],
    messages: [],
  }
  expect(withoutForgotten(envelope, tombstones).identity).toEqual([after, other])
})

it('leaves out news of segments from before it, and no later ones', () => {
  const news = (at: number): EventEnvelope => ({
    siteId: 'shop',
    visitorId: 'user:ann',
    receivedAt: '2026-01-01T00:00:00.000Z',
    segments: { anonymousId: 'phone', userId: 'ann', at, carried: ['campers'] },
    messages: [],
  })
  expect(withoutForgotten(news(999), tombstones)).not.toHaveProperty('segments')
  expect(withoutForgotten(news(1_001), tombstones)).toEqual(news(1_001))
})

it('leaves out what visitors were told, and rewards that were forwarded, from before it, and nothing later', () => {
  const messages = [999, 1_001].map(at => ({
    ...{ messageId: `m${at}`, type: 'track' as const, event: 'Order Completed', userId: 'ann' },
    timestamp: new Date(at).toISOString(),
  }))
  const base = { siteId: 'shop', visitorId: 'phone', receivedAt: '2026-01-01T00:00:00.000Z', messages: [] }
  const envelope: EventEnvelope = { ...base, forwarded: messages, hearsay: { userId: 'ann', messages } }
  expect(withoutForgotten(envelope, tombstones)).toEqual({
    ...{ ...base, forwarded: messages.slice(1) },
    hearsay: { userId: 'ann', messages: messages.slice(1) },
  })
})

it('leaves out what a deleted visitor was told of others, and rewards that were forwarded to it, up to the deletion', () => {
  const messages = [999, 1_001].map(at => ({
    ...{ messageId: `m${at}`, type: 'track' as const, event: 'Order Completed', anonymousId: 'laptop' },
    timestamp: new Date(at).toISOString(),
  }))
  const base = { siteId: 'shop', visitorId: 'user:ann', receivedAt: '2026-01-01T00:00:00.000Z', messages: [] }
  const envelope: EventEnvelope = { ...base, forwarded: messages, hearsay: { userId: 'ann', messages } }
  expect(withoutForgotten(envelope, tombstones)).toEqual({
    ...{ ...base, forwarded: messages.slice(1) },
    hearsay: { userId: 'ann', messages: messages.slice(1) },
  })
})
