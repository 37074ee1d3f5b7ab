import type { DecisionEnvelope, EventEnvelope, SignalEnvelope, SignalRecord } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { profileRows } from '#aggregator/warehouse/rows/buckets/profiles.js'
import { decisionRows } from '#aggregator/warehouse/rows/decisions.js'
import { eventRows } from '#aggregator/warehouse/rows/events.js'
import { rejectedRows } from '#aggregator/warehouse/rows/rejected.js'
import { signalRows } from '#aggregator/warehouse/rows/signals.js'
import { jsonLine, storableTime } from '#aggregator/warehouse/rows/text/line.js'

const RECEIVED = '2026-01-02T03:04:05.006Z'
const source = (subject: string, body: unknown) => ({
  seq: 9,
  subject,
  text: JSON.stringify(body),
  storedAt: RECEIVED,
  deleted: false,
})
const events = (...messages: Partial<EventEnvelope['messages'][number]>[]) =>
  eventRows(
    source('events.7', {
      siteId: 'demo',
      visitorId: 'v',
      receivedAt: RECEIVED,
      messages: messages.map(m => ({ messageId: 'm', type: 'track', anonymousId: 'v', timestamp: RECEIVED, ...m })),
    }),
    9,
  )

describe('rows of events', () => {
  it.each([
    [{ 'price.amount': 7 }, { 'price.amount': 7 }],
    [
      { price: { amount: 5 }, 'price.amount': 7 },
      { price: { amount: 5 }, 'price%2Eamount': 7 },
    ],
    [
      { 'price.amount': 7, price: { amount: 5, 'x.y': 1 } },
      { 'price%2Eamount': 7, price: { amount: 5, 'x.y': 1 } },
    ],
    [
      { 'a.b': { c: 1 }, a: { 'b.c': 2 } },
      { 'a.b': { c: 1 }, a: { 'b%2Ec': 2 } },
    ],
    [{ list: [{ a: { b: 1 }, 'a.b': 2 }] }, { list: [{ a: { b: 1 }, 'a%2Eb': 2 }] }],
  ])('keep both values of a path that is there twice: %j', (properties, kept) => {
    const [row] = events({ properties })
    expect(JSON.parse(row!.line).properties).toEqual(kept)
  })

  it('carry their position, the order in the batch and the extracted columns', () => {
    const [, row] = events(
      {},
      {
        event: 'Slot Viewed',
        properties: { slotId: 'hero', contentId: 12, decisionId: 'd', position: 2 },
        context: { sessionId: 's', pageViewId: 'p', page: { url: 'https://a.example/x?y=1', referrer: 'r' } },
      },
    )
    expect(JSON.parse(row!.line)).toMatchObject({
      stream_seq: 9,
      batch_index: 1,
      slot_id: 'hero',
      content_id: '12',
      decision_id: 'd',
      position: 2,
      session_id: 's',
      page_view_id: 'p',
      page_url: 'https://a.example/x?y=1',
      page_path: '/x',
      referrer: 'r',
      event: 'Slot Viewed',
    })
  })

  it('have the digits of numbers that JavaScript would round', () => {
    const big = '175928847299117063'
    const envelope = { siteId: 'demo', visitorId: 'v', receivedAt: RECEIVED }
    const sent = `{"messageId":"m","type":"track","anonymousId":"v","userId":${big},"properties":{"n":${big},"slotId":${big}}}`
    const text = `${JSON.stringify(envelope).slice(0, -1)},"sent":[${sent}]}`
    const [row] = eventRows({ ...source('events.3', {}), text }, 9)
    expect(row!.line).toContain(`"properties":{"n":${big},"slotId":${big}}`)
    expect(JSON.parse(row!.line)).toMatchObject({ user_id: big, slot_id: big })
    expect(row!.source.person).toMatchObject({ userId: big })
  })

  it('can tell what was sent, should the table refuse them', () => {
    const [, row] = events({}, { event: 'Order Completed', properties: { total: 1 } })
    expect(row!.source.payload()).toEqual({
      messageId: 'm',
      type: 'track',
      anonymousId: 'v',
      timestamp: RECEIVED,
      event: 'Order Completed',
      properties: { total: 1 },
    })
  })

  it('keep what the client said about time, and the time of receipt where it said nothing', () => {
    const [said, silent] = events({ originalTimestamp: '2019-01-01T00:00:00.000Z', sentAt: RECEIVED }, {})
    expect(JSON.parse(said!.line).original_timestamp).toBe('2019-01-01T00:00:00.000Z')
    expect(said!.key).toMatchObject({ time: '2019-01-01T00:00:00.000Z', happened: RECEIVED })
    expect(JSON.parse(silent!.line).original_timestamp).toBe(RECEIVED)
    expect(silent!.key).not.toHaveProperty('time')
    expect(silent!.key).not.toHaveProperty('happened')
  })

  it('take the page from the properties of a page call, as Segment sends it', () => {
    const [row] = events({ type: 'page', name: 'Home', properties: { url: 'https://a.example/', title: 'T' } })
    expect(JSON.parse(row!.line)).toMatchObject({
      event: 'Home',
      page_url: 'https://a.example/',
      page_path: '/',
      title: 'T',
    })
  })

  it('know a person without a browser apart from a browser of the same name', () => {
    const [person] = events({ anonymousId: undefined, userId: 'v' } as never)
    expect(person!.key!.visitor).toBe('user:v')
  })
})

it('rows of decisions name their candidates and exclusions as the table does', () => {
  const envelope: DecisionEnvelope = {
    siteId: 'demo',
    visitorId: 'v',
    receivedAt: RECEIVED,
    decisions: [
      {
        decisionId: 'd',
        timestamp: RECEIVED,
        slotId: 'hero',
        anonymousId: 'v',
        policy: 'random',
        policyVersion: '1',
        outcome: 'served',
        holdout: false,
        contentIds: ['a'],
        propensities: [1],
        position: 1,
        candidates: [{ contentId: 'a', score: 2, probability: 1 }],
        excluded: [{ contentId: 'b', reason: 'ended' }],
        features: {},
        seed: 's',
      },
    ],
  }
  const [row] = decisionRows(source('decisions.3', envelope), 9)
  expect(JSON.parse(row!.line)).toMatchObject({
    candidates: [{ content_id: 'a', score: 2, probability: 1 }],
    excluded: [{ content_id: 'b', reason: 'ended' }],
  })
  expect(row!.source.partition).toBe(3)
})

describe('rows of signals', () => {
  const signals = (...records: Partial<SignalRecord>[]) => {
    const common = { signalId: 'i', signal: 'interest_shift' as const, messageId: 'm', timestamp: RECEIVED }
    const envelope: SignalEnvelope = {
      siteId: 'demo',
      visitorId: 'v',
      receivedAt: RECEIVED,
      signals: records.map(r => ({ ...common, anonymousId: 'v', userId: '', sessionId: 's', details: {}, ...r })),
    }
    return signalRows(source('signals.3', envelope), 9)
  }

  it('carry their position, whose they are and what was found', () => {
    const [, row] = signals({}, { signalId: 'j', details: { from: 'shoes', to: 'hats' } })
    expect(JSON.parse(row!.line)).toMatchObject({
      stream_seq: 9,
      batch_index: 1,
      signal_id: 'j',
      signal: 'interest_shift',
      message_id: 'm',
      anonymous_id: 'v',
      session_id: 's',
      details: { from: 'shoes', to: 'hats' },
    })
    expect(row!.source).toMatchObject({ partition: 3, messageId: 'm' })
    expect(row!.source.payload()).toMatchObject({ signalId: 'j', details: { from: 'shoes', to: 'hats' } })
  })

  it('are known by what is equal in every send of their message', () => {
    const original = '2019-01-01T00:00:00.000Z'
    const [said, unsent, silent] = signals(
      { originalTimestamp: original, sentAt: RECEIVED },
      { originalTimestamp: original },
      {},
    )
    expect(JSON.parse(said!.line).original_timestamp).toBe(original)
    expect(said!.key).toEqual({
      siteId: 'demo',
      visitor: '',
      id: 'i',
      receivedAt: RECEIVED,
      time: original,
      happened: RECEIVED,
    })
    expect(unsent!.key).not.toHaveProperty('happened')
    expect(JSON.parse(silent!.line).original_timestamp).toBe(RECEIVED)
    expect(silent!.key).not.toHaveProperty('time')
  })
})

it('rows of rejections are not deduplicated', () => {
  const rejected = [{ messageId: null, code: 'too_large', reason: 'r', payload: '{}' }]
  const [row] = rejectedRows(source('rejected.0', { siteId: 'demo', receivedAt: RECEIVED, rejected }), 9)
  expect(row!.key).toBeUndefined()
  expect(JSON.parse(row!.line)).toMatchObject({ message_id: null, code: 'too_large' })
})

it('a deleted profile leaves a row that says so', () => {
  const [row] = profileRows({ ...source('$KV.profiles.3.demo.user=3a7', null), text: '', deleted: true }, 4)
  expect(JSON.parse(row!.line)).toEqual({
    site_id: 'demo',
    visitor_id: 'user:7',
    deleted: true,
    stream_seq: 4,
    batch_index: 0,
  })
})

describe('a line', () => {
  it('holds no half of a surrogate pair, and leaves text that only looks like one', () => {
    expect(JSON.parse(jsonLine({ a: '\ud800x', b: '\\ud800', c: '😀' }))).toEqual({
      a: '\ufffdx',
      b: '\\ud800',
      c: '😀',
    })
  })

  it('holds whole numbers beyond 64 bits as text', () => {
    expect(
      JSON.parse(jsonLine({ a: 2 ** 64, b: [-(2 ** 64)], c: 1e300, d: 'x12345678901234567890', e: 2 ** 62 })),
    ).toEqual({
      a: '18446744073709552000',
      b: ['-18446744073709552000'],
      c: 1e300,
      d: 'x12345678901234567890',
      e: 2 ** 62,
    })
    for (let before = 0; before < 40; before++) {
      const text = 'x'.repeat(before)
      expect(JSON.parse(jsonLine({ text, n: 2 ** 64 }))).toEqual({ text, n: '18446744073709552000' })
    }
  })

  it('holds marked numbers with their digits, and beyond 64 bits as text', () => {
    const digits = ['175928847299117063', '18446744073709551615', '-9223372036854775808']
    const beyond = ['18446744073709551616', '-9223372036854775809']
    const line = jsonLine({ list: [...digits, ...beyond].map(each => `\ufdd0${each}`) })
    expect(line).toBe(`{"list":[${digits.join()},${beyond.map(each => `"${each}"`).join()}]}`)
  })

  it('holds no time beyond what a DateTime64 can', () => {
    expect(storableTime('1969-12-31T00:00:00.000Z')).toBe('1970-01-01T00:00:00.000Z')
    expect(storableTime('-000001-01-01T00:00:00.000Z')).toBe('1970-01-01T00:00:00.000Z')
    expect(storableTime('+012026-01-01T00:00:00.000Z')).toBe('2299-12-31T23:59:59.999Z')
    expect(storableTime('9999-01-01T00:00:00.000Z')).toBe('2299-12-31T23:59:59.999Z')
    expect(storableTime(RECEIVED)).toBe(RECEIVED)
  })
})
