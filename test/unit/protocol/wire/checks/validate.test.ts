import {
  checkMessage,
  finishMessage,
  MAX_DEPTH,
  MAX_KEY_LENGTH,
  MAX_KEYS,
  MAX_NAME_LENGTH,
  type ReceiptTimes,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const received = Date.parse('2026-06-01T12:00:00.000Z')
const arrival: ReceiptTimes = { received }
const good = { type: 'track', event: 'Product Viewed', anonymousId: 'a', messageId: 'm' }

function accepted(raw: unknown, given: Partial<ReceiptTimes> = {}) {
  const checked = checkMessage(raw, { ...arrival, ...given })
  if (!checked.ok) throw new Error(`rejected: ${checked.reason}`)
  return finishMessage(checked.message, { ...arrival, ...given })
}

function rejection(raw: unknown, given: Partial<ReceiptTimes> = {}) {
  const checked = checkMessage(raw, { ...arrival, ...given })
  if (checked.ok) throw new Error('accepted')
  return checked
}

describe('checkMessage', () => {
  it('keeps what it does not know, of any JSON type', () => {
    const properties = { price: 1.5, sale: false, none: null, list: [1, 'a', { b: 2 }] }
    expect(accepted({ ...good, properties, custom: 'kept' })).toEqual({
      ...good,
      properties,
      custom: 'kept',
      timestamp: '2026-06-01T12:00:00.000Z',
    })
  })

  it('leaves out what is meant for Segment and what a client may not set', () => {
    const message = accepted({ ...good, integrations: { All: true }, originalTimestamp: 'forged', sentAt: undefined })
    const written = JSON.parse(JSON.stringify(message))
    expect(written).not.toHaveProperty('integrations')
    expect(written).not.toHaveProperty('originalTimestamp')
  })

  it.each(['messageId', 'anonymousId', 'userId', 'event'])('rejects a NUL character in %s', field => {
    const { code, reason } = rejection({ ...good, [field]: 'a\0b' })
    expect(code).toBe('forbidden_character')
    expect(reason).toContain(field)
  })

  it('does not change what it was given', () => {
    const raw = { ...good, userId: 7, groupId: null, timestamp: '2026-06-01T11:00:00Z' }
    const before = structuredClone(raw)
    accepted(raw)
    expect(raw).toEqual(before)
  })

  it.each([null, 1, 'text', true, [], [good]])('rejects %j, which is no object', raw => {
    expect(rejection(raw).code).toBe('not_an_object')
  })

  it('rejects a missing and an unknown type', () => {
    expect(rejection({ ...good, type: undefined }).code).toBe('missing_field')
    expect(rejection({ ...good, type: 'click' })).toMatchObject({ code: 'unknown_type' })
    expect(rejection({ ...good, type: { a: 1 } }).code).toBe('unknown_type')
  })

  it.each([
    ['an id', { ...good, anonymousId: undefined }, 'anonymousId'],
    ['an id that is not empty', { ...good, anonymousId: '' }, 'anonymousId'],
    ['the event of a track', { ...good, event: undefined }, 'event'],
    ['the groupId of a group', { ...good, type: 'group' }, 'groupId'],
    ['the previousId of an alias', { ...good, type: 'alias' }, 'previousId'],
  ])('needs %s', (_what, raw, field) => {
    const { code, reason } = rejection(raw)
    expect(code).toBe('missing_field')
    expect(reason).toContain(field)
  })

  it.each(['page', 'screen', 'identify'])('needs no more than an id for %s', type => {
    expect(accepted({ type, userId: 'u' })).toMatchObject({ type, userId: 'u' })
  })

  it.each([
    ['event', 5],
    ['name', 5],
    ['anonymousId', { a: 1 }],
    ['userId', true],
    ['messageId', []],
    ['properties', 'text'],
    ['properties', []],
    ['traits', 3],
    ['context', 'text'],
  ])('rejects a wrong type of %s: %j', (field, value) => {
    const { code, reason } = rejection({ ...good, [field]: value })
    expect(code).toBe('wrong_type')
    expect(reason).toContain(field)
  })

  it('makes text of ids that are numbers', () => {
    expect(accepted({ ...good, userId: 42, messageId: 7 })).toMatchObject({ userId: '42', messageId: '7' })
  })

  it.each(['userId', 'anonymousId', 'previousId', 'groupId'])('refuses what is no id as %s', field => {
    const all = { ...good, userId: 'u', previousId: 'p', groupId: 'g' }
    const others = field === 'userId' ? { ...all, anonymousId: null } : all
    for (const id of [
      'undefined',
      'null',
      'NaN',
      '[object Object]',
      'Anonymous',
      '"null"',
      '  ',
      '0',
      0,
      '00-00',
      'user_id',
    ])
      expect(rejection({ ...others, [field]: id }), String(id)).toMatchObject({
        code: 'invalid_id',
        reason: `${field} ${JSON.stringify(id)} is no id: leave it out until there is one`,
      })
    for (const id of ['u-0', 'anonymous-7', 'nullable', 'guest7', '10', 7, 'x0', 'ann@example.com', '0198a', 'nana'])
      expect(accepted({ ...all, [field]: id })).toMatchObject({ [field]: String(id) })
  })

  it.each(['undefined', 'null', 'NaN', '[object Object]', 'guest', ' ', '0', 0])(
    'takes %j as userId beside an anonymousId, as it was sent',
    userId => {
      for (const type of ['track', 'identify', 'page'])
        expect(accepted({ ...good, type, userId })).toMatchObject({
          anonymousId: good.anonymousId,
          userId: String(userId),
        })
    },
  )

  it('takes null for absent', () => {
    const message = accepted({ ...good, userId: null, properties: null, context: null, timestamp: null, sentAt: null })
    expect(message.userId).toBeUndefined()
    expect(message.properties).toBeUndefined()
    expect(message.timestamp).toBe('2026-06-01T12:00:00.000Z')
  })

  it('bounds the length of names and ids', () => {
    const longest = 'x'.repeat(MAX_NAME_LENGTH)
    expect(accepted({ ...good, event: longest }).event).toBe(longest)
    expect(rejection({ ...good, event: `${longest}x` }).code).toBe('too_long')
    expect(rejection({ ...good, messageId: `${longest}x` }).code).toBe('too_long')
  })

  it('bounds the depth, for objects and lists', () => {
    const nested = (depth: number, wrap: (inner: unknown) => unknown) => {
      let value: unknown = 1
      for (let i = 0; i < depth; i++) value = wrap(value)
      return { ...good, properties: { value } }
    }
    // The message itself is level 1, properties level 2.
    expect(accepted(nested(MAX_DEPTH - 2, value => ({ value }))).type).toBe('track')
    expect(rejection(nested(MAX_DEPTH - 1, value => ({ value }))).code).toBe('too_deep')
    expect(rejection(nested(100_000, value => [value])).code).toBe('too_deep')
  })

  it('bounds the number of keys, at all levels together, and their length', () => {
    const keys = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 1]))
    const room = MAX_KEYS - Object.keys(good).length - 2
    const fits = { ...good, properties: { ...keys(room - 10, 'a'), deep: keys(10, 'b') } }
    expect(accepted(fits).type).toBe('track')
    const tooMany = rejection({ ...fits, traits: keys(1, 'c') })
    expect(tooMany).toMatchObject({ code: 'too_many_keys' })
    expect(tooMany.reason).toContain(String(MAX_KEYS))
    expect(accepted({ ...good, properties: { list: new Array(5_000).fill(1) } }).type).toBe('track')
    const long = 'k'.repeat(MAX_KEY_LENGTH)
    expect(accepted({ ...good, properties: { [long]: 1 } }).properties).toHaveProperty(long)
    expect(rejection({ ...good, properties: { deep: { [`${long}k`]: 1 } } })).toMatchObject({ code: 'too_long' })
  })

  it('says where it is nested too deeply', () => {
    let value: unknown = 1
    for (let depth = 0; depth < MAX_DEPTH; depth++) value = { a: value }
    expect(rejection({ ...good, properties: { list: [value] } }).reason).toMatch(/^properties\.list\.0\.a\./)
  })

  it.each([
    '{"__proto__": {"isAdmin": true}}',
    '{"deep": {"__proto__": 1}}',
    '{"list": [{"__proto__": {}}]}',
    '{"constructor": {"prototype": {"isAdmin": true}}}',
  ])('refuses prototype pollution: %s', json => {
    expect(rejection({ ...good, properties: JSON.parse(json) }).code).toBe('forbidden_key')
    expect(rejection({ ...good, ...{ context: JSON.parse(json) } }).code).toBe('forbidden_key')
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  it('refuses prototype pollution of the message itself', () => {
    expect(rejection(JSON.parse('{"type": "page", "userId": "u", "__proto__": {"a": 1}}')).code).toBe('forbidden_key')
  })

  it('allows a property that is called constructor', () => {
    expect(accepted({ ...good, properties: { constructor: 'Ferrari' } }).properties).toEqual({ constructor: 'Ferrari' })
  })
})

describe('times of a message', () => {
  it('corrects a clock that is wrong, by the time of sending', () => {
    const timestamp = '2026-06-01T10:00:00.000Z'
    const sent = Date.parse('2026-06-01T10:00:05.000Z')
    expect(accepted({ ...good, timestamp }, { sent })).toMatchObject({
      timestamp: '2026-06-01T11:59:55.000Z',
      originalTimestamp: timestamp,
      sentAt: '2026-06-01T10:00:05.000Z',
    })
  })

  it("takes the message's own sentAt before the batch's", () => {
    const message = accepted(
      { ...good, timestamp: '2026-06-01T10:00:00Z', sentAt: '2026-06-01T10:00:01Z' },
      { sent: Date.parse('2026-06-01T10:30:00Z') },
    )
    expect(message.timestamp).toBe('2026-06-01T11:59:59.000Z')
  })

  it.each(['yesterday', '', '12:00', 5, {}, true])('rejects timestamp %j', timestamp => {
    expect(rejection({ ...good, timestamp }).code).toBe('invalid_timestamp')
  })

  it('rejects a sentAt that is no text', () => {
    expect(rejection({ ...good, sentAt: 5 }).code).toBe('invalid_timestamp')
  })

  it.each(['1970-01-01T00:00:00.000Z', '2100-01-01T00:00:00.000Z'])('rejects %s as nobody means it', timestamp => {
    expect(rejection({ ...good, timestamp }).code).toBe('timestamp_out_of_range')
  })

  it('keeps imported history', () => {
    expect(accepted({ ...good, timestamp: '2019-11-24T00:00:00Z' }).timestamp).toBe('2019-11-24T00:00:00.000Z')
  })
})
