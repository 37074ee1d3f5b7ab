import { type DeadLetter, deadLetterSubject, decodePayload, encodePayload } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const facts: Omit<DeadLetter, 'payload' | 'encoding'> = {
  role: 'warehouse',
  stream: 'EVENTS',
  seq: 7,
  subject: 'events.1',
  storedAt: '2026-01-01T00:00:00.000Z',
  error: 'no JSON',
  attempts: 1,
  version: '0.1.0',
  failedAt: '2026-01-01T00:00:01.000Z',
}

describe('the payload of a dead letter', () => {
  it.each([
    ['text', new TextEncoder().encode('{"a": "ü"}')],
    ['text', new TextEncoder().encode('\ufeffwith a mark')],
    ['base64', Uint8Array.of(0xff, 0x00, 0x80)],
  ] as const)('comes back byte by byte as %s', (encoding, data) => {
    const encoded = encodePayload(data)
    expect(encoded.encoding).toBe(encoding)
    expect(decodePayload(encoded)).toEqual(data)
  })

  it('stays below what the broker takes, also when escapes make it longer', () => {
    const quotes = encodePayload(new TextEncoder().encode('"'.repeat(500_000)))
    expect(quotes.encoding).toBe('base64')
    expect(encodePayload(new Uint8Array(900_000)).encoding).toBe('none')
  })
})

describe('the subject of a dead letter', () => {
  it('is the same for each failure of one message and role, and for nothing else', () => {
    const subject = deadLetterSubject(facts)
    expect(subject).toBe('dead.warehouse.EVENTS.7-1767225600000')
    expect(deadLetterSubject({ ...facts, failedAt: '2026-02-01T00:00:00.000Z', error: 'other' })).toBe(subject)
    expect(deadLetterSubject({ ...facts, role: 'profiles' })).not.toBe(subject)
    expect(deadLetterSubject({ ...facts, storedAt: '2026-01-02T00:00:00.000Z' })).not.toBe(subject)
  })
})
