import * as core from '@slotstream/core'
import { compilePatterns, profileBytes } from '@slotstream/core'
import type { EventEnvelope, PatternDefinition, Profile, SignalRecord, StoredMessage } from '@slotstream/protocol'
import { parseProfile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { hashText } from '#aggregator/hash-text.js'
import { envelope, MINUTE, message, NOW, SECOND } from '../signals/detected.js'

const LEFT_CART: PatternDefinition = {
  name: 'left-cart',
  sequence: [
    { event: 'Product Added', key: 'properties.cart_id' },
    { not: { event: 'Order Completed', key: 'properties.cart_id' }, within: '30m' },
  ],
}

const added = (at: number, cart = 'c1') => message(at, { event: 'Product Added', properties: { cart_id: cart } })
const ordered = (at: number, cart = 'c1') => message(at, { event: 'Order Completed', properties: { cart_id: cart } })
const page = (at: number) => message(at, { type: 'page' })

/** What envelopes give, each profile as the store gives it back. */
function applied(envelopes: EventEnvelope[], declared?: PatternDefinition[]) {
  const compiled = declared && compilePatterns(declared)
  if (compiled && !compiled.ok) throw new Error(compiled.reason)
  let profile: Profile | undefined
  const signals: SignalRecord[] = []
  for (const [index, each] of envelopes.entries()) {
    const after = core.applyAndDetect(profile, each, index + 1, hashText, compiled && { patterns: compiled.value })
    signals.push(...after.signals)
    profile = JSON.parse(JSON.stringify(after.profile)) as Profile
    expect(parseProfile(profile)).toMatchObject({ ok: true })
  }
  return { profile: profile!, signals }
}

const each = (messages: StoredMessage[]) => messages.map(one => envelope([one]))

describe('patterns of a profile', () => {
  it('are those that every site has, unless others are given', () => {
    const first = added(NOW)
    const { signals, profile } = applied(each([first, page(NOW + 31 * MINUTE)]))
    expect(signals).toEqual([
      {
        signalId: expect.stringMatching(/^[\w-]{22}$/),
        signal: 'cart_abandonment',
        messageId: first.messageId,
        timestamp: new Date(NOW + 30 * MINUTE).toISOString(),
        originalTimestamp: new Date(NOW + 30 * MINUTE).toISOString(),
        anonymousId: 'v1',
        userId: '',
        sessionId: expect.any(String),
        details: expect.objectContaining({ key: 'c1' }),
      },
    ])
    expect(profile.recentSignals).toEqual([['cart_abandonment', NOW + 30 * MINUTE]])
    const own = applied(each([first, page(NOW + 31 * MINUTE)]), [LEFT_CART])
    expect(own.signals.map(({ signal }) => signal)).toEqual(['left-cart'])
    expect(applied(each([first, page(NOW + 31 * MINUTE)]), []).signals).toEqual([])
  })

  it('find nothing where the order came', () => {
    expect(applied(each([added(NOW), ordered(NOW + MINUTE), page(NOW + 40 * MINUTE)])).signals).toEqual([])
  })

  it('take back what a late message refutes, once, with a record that names the first', () => {
    const late = each([added(NOW), page(NOW + 31 * MINUTE), ordered(NOW + MINUTE), ordered(NOW + 2 * MINUTE)])
    const { signals, profile } = applied(late)
    expect(signals).toHaveLength(2)
    const [first, retraction] = signals
    expect(retraction!.signal).toBe('cart_abandonment')
    expect(retraction!.signalId).not.toBe(first!.signalId)
    expect(retraction!.details).toMatchObject({ retracted: true, signal_id: first!.signalId })
    expect(profile.recentSignals).toEqual([])
  })

  it('are the same in one envelope or many, and when messages come again', () => {
    const messages = [added(NOW), added(NOW + MINUTE, 'c2'), page(NOW + 40 * MINUTE), ordered(NOW + 2 * MINUTE)]
    const { signals } = applied(each(messages))
    expect(signals).toHaveLength(3)
    expect(applied([envelope(messages)]).signals).toEqual(signals)
    expect(applied([...each(messages), ...each(messages)]).signals).toEqual(signals)
  })

  it('have ids that say of whose message they are, whichever message they are found at', () => {
    const first = added(NOW)
    const foundAt = (sender: EventEnvelope['sender'], by: EventEnvelope['sender']) =>
      applied([
        { ...envelope([first]), ...(sender && { sender }) },
        { ...envelope([page(NOW + 31 * MINUTE)]), ...(by && { sender: by }) },
      ]).signals
    const [ofPublic] = foundAt(undefined, undefined)
    expect(foundAt(undefined, 'secret')).toEqual([ofPublic])
    const [ofSecret] = foundAt('secret', undefined)
    expect(ofSecret!.messageId).toBe(first.messageId)
    expect(ofSecret!.signalId).not.toBe(ofPublic!.signalId)
    const forged = { ...first, messageId: `secret\n${first.messageId}` }
    const [ofForged] = applied(each([forged, page(NOW + 31 * MINUTE)])).signals
    expect(ofForged!.messageId).toBe(forged.messageId)
    expect(ofForged!.signalId).not.toBe(ofSecret!.signalId)
  })

  it('see no messages of senders that have no profile, and no claims', () => {
    const spread = { ...envelope([added(NOW), page(NOW + 31 * MINUTE)]), spread: true as const }
    expect(core.applyAndDetect(undefined, spread, 1, hashText).signals).toEqual([])
    const claim = {
      ...envelope([added(NOW), page(NOW + 31 * MINUTE)]),
      visitorId: 'user:1',
      sender: 'unsigned' as const,
    }
    expect(core.applyAndDetect(undefined, claim, 1, hashText).signals).toEqual([])
  })

  it('leave the signals of detectors as they are, before those of patterns at the same message', () => {
    const clicks = Array.from({ length: 4 }, (_, index) =>
      message(NOW + index * SECOND * 0.3, { event: 'Element Clicked', properties: { selector: '#pay' } }),
    )
    expect(applied(each(clicks)).signals.map(({ signal }) => signal)).toEqual(['rage_clicks'])
  })

  it('count in the bytes of a profile', () => {
    const { profile } = applied(each([added(NOW), added(NOW, 'c2'), added(NOW, 'c3')]))
    const { patterns: _, ...without } = profile
    expect(profileBytes(profile)).toBeGreaterThan(profileBytes(without) + 500)
    expect(parseProfile({ ...profile, patterns: { version: 1, of: {} } })).toMatchObject({ ok: false })
  })
})

describe('a time that has come', () => {
  const comes = (at: number, receivedAt = at): EventEnvelope => ({
    ...envelope([]),
    receivedAt: new Date(receivedAt).toISOString(),
    timer: { at, anonymousId: 'v1', userId: '' },
  })

  it('ends an absence as a later message would: with the same signal, once', () => {
    const first = added(NOW)
    const due = NOW + 30 * MINUTE
    const byMessage = applied(each([first, page(due + MINUTE)])).signals
    const { signals, profile } = applied([
      envelope([first]),
      comes(due),
      comes(due + 1),
      envelope([page(due + MINUTE)]),
    ])
    expect(signals).toEqual(byMessage)
    expect(signals).toHaveLength(1)
    expect(profile).toMatchObject({ events: 2, recentSignals: [['cart_abandonment', due]] })
  })

  it('changes nothing where nothing is due, and is no visit', () => {
    const before = applied([envelope([added(NOW)])]).profile
    const { profile, signals } = applied([envelope([added(NOW)]), comes(NOW + 29 * MINUTE)])
    expect(signals).toEqual([])
    expect({ ...profile, recent: 0, features: 0 }).toMatchObject({
      seq: 2,
      events: 1,
      lastSeen: before.lastSeen,
      lastReceived: before.lastReceived,
    })
    expect(core.applyAndDetect(undefined, comes(NOW), 1, hashText)).toEqual({ profile: undefined, signals: [] })
  })

  it('goes before a message that arrives later, which refutes it', () => {
    const due = NOW + 30 * MINUTE
    const { signals } = applied([envelope([added(NOW)]), comes(due), envelope([ordered(due - MINUTE)])])
    expect(signals.map(({ details }) => details.retracted)).toEqual([undefined, true])
    expect(applied([envelope([added(NOW)]), envelope([ordered(due - MINUTE)]), comes(due)]).signals).toEqual([])
  })
})
