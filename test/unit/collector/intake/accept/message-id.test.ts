import { describe, expect, it } from 'vitest'
import { replaceImplausibleId } from '#collector/intake/accept/message-id.js'

function mended(message: object): { messageId?: unknown; context?: { originalMessageId?: string } } {
  const raw = structuredClone(message)
  replaceImplausibleId(raw)
  return raw
}

describe('a message id', () => {
  it.each([
    'm-1',
    '7',
    'ajs-next-1f2e',
    '0199c2a0-0000-7000-8000-000000000001',
    'order/42',
    'größe',
    '',
    'a\0b',
    '0001a-b',
  ])('that may be one stays: %j', messageId => {
    expect(mended({ messageId, event: 'E' })).toEqual({ messageId, event: 'E' })
  })

  it.each([
    'undefined',
    'null',
    'NaN',
    '[object Object]',
    '0',
    '00000000-0000-0000-0000-000000000000',
    '  ',
    'a b',
    'a\nb',
  ])('that comes of broken code is replaced, and kept: %j', messageId => {
    const { context, ...rest } = mended({ messageId, event: 'E', context: { a: 1 } })
    expect(rest.messageId).toMatch(/^made-[\w-]{32}$/)
    expect(context).toEqual({ a: 1, originalMessageId: messageId })
  })

  it('is made of the message: equal for each send, different for different messages', () => {
    const first = mended({ messageId: 'undefined', event: 'A', sentAt: '2026-01-01T00:00:00Z' })
    expect(mended({ messageId: 'undefined', event: 'A', sentAt: '2026-01-02T00:00:00Z' }).messageId).toBe(
      first.messageId,
    )
    expect(mended({ messageId: 'undefined', event: 'B' }).messageId).not.toBe(first.messageId)
  })

  it('of nonsense is left for the check to refuse', () => {
    for (const raw of [null, 1, [], { messageId: 5 }, { messageId: 'null', context: 1 }])
      expect(mended({ raw })).toEqual({ raw })
  })
})
