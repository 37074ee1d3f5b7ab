import { type DeadLetter, encodePayload, openEnvelope, type Person, type SentEnvelope } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { strip, stripLetter } from '#aggregator/people/clean/strip.js'
import { mayName } from '#aggregator/people/find/matches-text.js'

const NOW = '2026-01-02T00:00:00.000Z'
const BEFORE = Date.parse(NOW)
const person: Person = { siteId: 's', userIds: ['u"\\1'], browsers: ['b'], anonymousIds: [] }
const whose = { person, before: BEFORE }

const raw = (fields: object) => ({ messageId: 'm', type: 'track', event: 'E', anonymousId: 'b', ...fields })
const envelope = (fields: object): string => JSON.stringify({ siteId: 's', visitorId: 'b', receivedAt: NOW, ...fields })

describe('a message without a person', () => {
  it('keeps what others sent, as they wrote it, with what was added to it', () => {
    const [first, second, third] = [raw({ userId: 'v', odd: 1 }), raw({}), raw({ userId: 'v', messageId: 'n' })]
    const ledger = { captured: 1, sent: 1, acknowledged: 1, dropped: {} }
    const text = envelope({ body: { batch: [first, second, third] }, context: [{ a: 1 }, { b: 1 }, null], ledger })
    const stripped = strip('events', text, whose)!
    expect(stripped.entries).toHaveLength(1)
    const rest = JSON.parse(stripped.rest!) as SentEnvelope
    expect(rest).toMatchObject({ sent: [first, third], context: [{ a: 1 }, null], ledger })
    expect(rest.body).toBeUndefined()
    expect(openEnvelope(rest).messages).toHaveLength(2)
  })

  it('loses the ledger with the message that it came with', () => {
    const ledger = { captured: 1, sent: 1, acknowledged: 1, dropped: {} }
    const stripped = strip('events', envelope({ sent: [raw({ userId: 'v' }), raw({})], ledger }), whose)
    expect(JSON.parse(stripped!.rest!).ledger).toBeUndefined()
  })

  it('loses what it adds to the features of content, also where it has no records', () => {
    const contents = [{ contentId: 'tent', slotId: 'hero', amounts: [['v', 0, 0, 1]] }]
    const record = { decisionId: 'd', slotId: 'hero', contentId: 'tent', position: 1, at: BEFORE + 1, reward: 0 }
    const text = (fields: object) => envelope({ anonymousId: 'b', seq: 1, stored: 0, records: [], contents, ...fields })
    expect(strip('learning', text({}), whose)).toEqual({ entries: [contents], rest: undefined })
    expect(strip('learning', text({ anonymousId: 'c', visitorId: 'c' }), whose)).toBeUndefined()
    const later = strip('learning', text({ records: [record] }), whose)!
    expect(JSON.parse(later.rest!)).toMatchObject({ records: [record] })
    expect(JSON.parse(later.rest!)).not.toHaveProperty('contents')
  })

  it('loses what was decided about them, and nothing about another user of the browser', () => {
    const decision = { state: 'undone', at: BEFORE, cause: 'a test' }
    const [theirs, other] = ['u"\\1', 'v'].map(userId => ({ anonymousId: 'b', userId, decision }))
    const stripped = strip('events', envelope({ identity: [theirs, other], messages: [] }), whose)!
    expect(stripped.entries).toEqual([theirs])
    expect(JSON.parse(stripped.rest!).identity).toEqual([other])
  })

  it('is nothing when all of it was theirs', () => {
    const text = envelope({ messages: [{ ...raw({}), timestamp: NOW }] })
    expect(strip('events', text, whose)).toMatchObject({ rest: undefined })
  })

  it('is nothing when it says that their time has come', () => {
    const timer = { at: BEFORE, anonymousId: 'b', userId: '' }
    expect(strip('events', envelope({ timer, messages: [] }), whose)).toMatchObject({ rest: undefined })
    expect(strip('events', envelope({ timer: { ...timer, anonymousId: 'c' }, messages: [] }), whose)).toBeUndefined()
    const news = (userId: string) => envelope({ segments: { anonymousId: 'd', userId, at: BEFORE }, messages: [] })
    expect(strip('events', news('u"\\1'), whose)).toMatchObject({ rest: undefined })
    expect(strip('events', news('v'), whose)).toBeUndefined()
  })

  it('loses what others were told of them, and keeps what is from after the deletion', () => {
    const all = ['2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.001Z'].map(timestamp => ({ ...raw({}), timestamp }))
    const text = envelope({ visitorId: 'c', forwarded: all, hearsay: { userId: 'v', messages: all }, messages: [] })
    const stripped = strip('events', text, whose)!
    expect(stripped.entries).toEqual([all[0], all[0]])
    expect(JSON.parse(stripped.rest!)).toMatchObject({
      forwarded: [all[1]],
      hearsay: { userId: 'v', messages: [all[1]] },
    })
    const whole = envelope({ visitorId: 'user:v', hearsay: { userId: 'v', messages: [all[0]] }, messages: [] })
    expect(strip('events', whole, whose)).toEqual({ entries: [all[0]], rest: undefined })
  })

  it('loses what they were told of others, and rewards that were forwarded to them, up to the deletion', () => {
    const browser: Person = { siteId: 's', userIds: [], browsers: [], anonymousIds: ['b'] }
    const all = ['2026-01-02T00:00:00.000Z', '2026-01-02T00:00:00.001Z'].map(timestamp => ({
      ...{ messageId: 'm', type: 'track', event: 'E', userId: 'v', timestamp },
    }))
    for (const passedOn of [
      (messages: object[]) => ({ forwarded: messages }),
      (messages: object[]) => ({ hearsay: { userId: 'v', messages } }),
    ]) {
      const ofBrowser = { person: browser, before: BEFORE }
      const stripped = strip('events', envelope({ ...passedOn(all), messages: [] }), ofBrowser)!
      expect(stripped.entries).toEqual([all[0]])
      expect(JSON.parse(stripped.rest!)).toMatchObject(passedOn([all[1]!]))
      expect(strip('events', envelope({ ...passedOn([all[0]!]), messages: [] }), ofBrowser)?.rest).toBeUndefined()
      expect(strip('events', envelope({ visitorId: 'c', ...passedOn(all), messages: [] }), ofBrowser)).toBeUndefined()
    }
  })

  it('stays as it is when it is of another site, of others, or of the time after', () => {
    expect(strip('events', envelope({ siteId: 'other', sent: [raw({})] }), whose)).toBeUndefined()
    expect(strip('events', envelope({ sent: [raw({ anonymousId: 'c' })] }), whose)).toBeUndefined()
    const later = envelope({ receivedAt: '2026-01-02T00:00:00.001Z', sent: [raw({})] })
    expect(strip('events', later, whose)).toBeUndefined()
  })

  it('goes as a whole when it is no envelope and holds an id', () => {
    expect(strip('events', `{"x": ${JSON.stringify('u"\\1')}`, whose)).toMatchObject({ rest: undefined })
    expect(strip('events', '{"x": "y"', whose)).toBeUndefined()
  })

  it('is stripped of rejected messages by what their text names', () => {
    const rejected = ['{"userId":"u\\"\\\\1"}', '{"userId":"v","anonymousId":"b"}', 'nonsense'].map(payload => ({
      payload,
    }))
    const stripped = strip('rejected', envelope({ rejected }), whose)!
    expect(JSON.parse(stripped.rest!).rejected).toEqual(rejected.slice(1))
  })

  it('of decisions and signals goes by the ids of each', () => {
    for (const [kind, list] of [
      ['decisions', 'decisions'],
      ['signals', 'signals'],
    ] as const) {
      const entries = [
        { anonymousId: 'b', userId: '', timestamp: NOW },
        { anonymousId: 'b', userId: 'v', timestamp: NOW },
      ]
      const stripped = strip(kind, envelope({ [list]: entries }), whose)!
      expect(JSON.parse(stripped.rest!)[list]).toEqual(entries.slice(1))
    }
  })
})

describe('a dead letter', () => {
  const letter = (payload: string, error = 'broken', stream = 'EVENTS_2'): string =>
    JSON.stringify({
      role: 'warehouse',
      stream,
      seq: 1,
      subject: 'events.1',
      storedAt: NOW,
      ...encodePayload(new TextEncoder().encode(payload)),
      error,
      attempts: 1,
      version: '1',
      failedAt: NOW,
    } satisfies DeadLetter)

  it('goes with its message, or is kept without the person', () => {
    expect(stripLetter(letter(envelope({ sent: [raw({})] })), whose)).toMatchObject({ rest: undefined })
    const shared = letter(envelope({ sent: [raw({}), raw({ userId: 'v' })] }))
    const rest = JSON.parse(stripLetter(shared, whose)!.rest!) as DeadLetter
    expect(JSON.parse(rest.payload).sent).toEqual([raw({ userId: 'v' })])
    expect(rest.error).not.toContain('broken')
    expect(stripLetter(letter('{"a":1'), whose)).toBeUndefined()
  })

  it('of a profile goes with the profile', () => {
    const profile = JSON.stringify({ siteId: 's', visitorId: 'b', firstSeen: NOW })
    expect(stripLetter(letter(profile, 'broken', 'KV_profiles_3'), whose)).toMatchObject({ rest: undefined })
  })

  it('that could not carry its message goes by its error', () => {
    const without = (error: string) => {
      const all = JSON.parse(letter('', error)) as DeadLetter
      return stripLetter(JSON.stringify({ ...all, encoding: 'none', payload: '' }), whose)
    }
    expect(without('Unexpected token in "u"\\1"')).toMatchObject({ rest: undefined })
    expect(without('broken')).toBeUndefined()
  })
})

it('a quick look never says no where escapes could hide an id', () => {
  const may = mayName(person)
  expect(may('{"a":"c"}')).toBe(false)
  expect(may('{"a":"b"}')).toBe(true)
  expect(may('{"a":"\\u0062"}')).toBe(true)
})
