import { checkMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createShoppers } from '#bench/pipeline/shoppers.js'

const NOW = Date.UTC(2026, 0, 1)

describe('createShoppers', () => {
  it('sends valid messages of about a kilobyte, each batch of one visitor, and no id twice', () => {
    const shoppers = createShoppers(1)
    const batches = Array.from({ length: 200 }, () => shoppers.batch(NOW))
    const messages = batches.flatMap(({ batch }) => batch)
    for (const message of messages) expect(checkMessage(structuredClone(message), { received: NOW }).ok).toBe(true)
    expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(messages.length)
    for (const { batch } of batches) expect(new Set(batch.map(({ anonymousId }) => anonymousId)).size).toBe(1)
    const size = JSON.stringify(messages).length / messages.length
    expect(size).toBeGreaterThan(700)
    expect(size).toBeLessThan(1_300)
  })

  it('stores what it sends, and repeats itself with the same seed', () => {
    const [one, other] = [createShoppers(2), createShoppers(2)]
    const { batch } = one.batch(NOW)
    const { messages } = other.envelope('bench', NOW)
    expect(messages.map(({ messageId, event, context }) => ({ messageId, event, context }))).toEqual(
      batch.map(({ messageId, event, context }) => ({ messageId, event, context })),
    )
  })
})
