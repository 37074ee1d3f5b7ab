import { describe, expect, it } from 'vitest'
import { candidateOf } from '#sources/rejected/candidates.js'
import type { RejectedRow } from '#sources/rejected/rejected-rows.js'

const row = (payload: unknown, rest: Partial<RejectedRow> = {}): RejectedRow => ({
  received: Date.UTC(2026, 0, 1),
  stream_seq: 5,
  batch_index: 0,
  message_id: null,
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  sent: null,
  user_agent: '',
  ...rest,
})

describe('a rejected message', () => {
  it('without an id gets the same one each time, and no other message gets it', () => {
    const ids = [
      row({ type: 'track' }),
      row({ type: 'track' }),
      row({ type: 'page' }),
      row({ type: 'track' }, { batch_index: 1 }),
      row({ type: 'track' }, { stream_seq: 6 }),
    ].map(one => candidateOf('shop', one)?.messageId)
    expect(ids[0]).toBe(ids[1])
    expect(new Set(ids).size).toBe(4)
  })

  it('keeps its id, times and sender', () => {
    const sent = Date.UTC(2026, 0, 1, 1)
    const message = { type: 'track', messageId: 'm', userId: 7, timestamp: '2025-12-31T23:00:00Z' }
    expect(candidateOf('shop', row(message, { sent, user_agent: 'curl' }))).toMatchObject({
      messageId: 'm',
      visitor: ['', '7'],
      time: Date.UTC(2025, 11, 31, 23),
      replay: {
        message,
        receivedAt: '2026-01-01T00:00:00.000Z',
        sentAt: '2026-01-01T01:00:00.000Z',
        userAgent: 'curl',
      },
    })
  })

  it.each(['{"type": "tra', '5', 'null', '[]', '"x"'])('of which %s is kept cannot be replayed', payload => {
    expect(candidateOf('shop', row(payload))).toBeUndefined()
  })
})
