import type { Content, KeptDecision, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { NO_SUSPICION } from '#core/bots/suspicion.js'
import { showingsOf, timesShown } from '#core/catalog/caps.js'
import { codeOf } from '#core/catalog/reasons.js'
import { personOfProfile } from '#core/decide/person.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { type CompiledSegments, compileSegments } from '#core/segments/compile-segments.js'
import { type Asked, compileAsked, decideOne } from '../decide/some-question.js'

const NOW = Date.UTC(2026, 0, 10)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

function content(id: string, fields: Partial<Content> = {}): Content {
  return { id, slots: ['hero'], category: 'shoes', payload: {}, ...fields }
}

function shown(contentId: string, agoMs: number, fields: Partial<KeptDecision> = {}): KeptDecision {
  const at = NOW - agoMs
  const items = [{ contentId, position: 1, viewedAt: at + 1_000 }]
  return { decisionId: `${contentId}-${agoMs}`, slotId: 'hero', at, sessionId: 's1', items, ...fields }
}

interface Setting extends Partial<Omit<Asked, 'slot' | 'person'>> {
  slot?: Partial<Slot>
  decisions?: KeptDecision[]
  stopped?: string[]
  traits?: Record<string, unknown>
}

function asked(
  contents: Content[],
  { slot, decisions = [], stopped = [], traits = {}, ...fields }: Setting = {},
): Asked {
  const person = { ...personOfProfile('v1', undefined, NOW), decisions, stopped, traits: traits as never }
  const whole: Slot = { id: 'hero', policy: { type: 'random' }, count: 1, holdout: 0, ...slot }
  return {
    siteId: 'shop',
    visitorId: 'v1',
    profile: undefined,
    person,
    context: { sessionId: 's1', country: 'FR' },
    contents,
    now: NOW,
    seed: 's',
    slot: whole,
    ...fields,
  }
}

const excluded = (contents: Content[], setting?: Setting) => decideOne(asked(contents, setting)).choice.excluded

describe('content that may not be shown', () => {
  it('is left out with the reason, and with what is missed in plain words', () => {
    const contents = [
      content('a-early', { startsAt: new Date(NOW + 1).toISOString() }),
      content('b-late', { endsAt: new Date(NOW).toISOString() }),
      content('c-sold', { stock: 0 }),
      content('d-far', { where: { 'context.country': 'DE', 'traits.plan': 'pro' } }),
      content('e-broken', { where: { $nonsense: [1] } }),
      content('f-done', { stopAfter: 'Order Completed' }),
      content('g-capped', { caps: [{ count: 3, per: '24h' }] }),
      content('h-shown'),
      content('i-shown', { stock: 1 }),
    ]
    const decisions = [1, 2, 3].map(hours => shown('g-capped', hours * HOUR))
    const setting = { decisions, stopped: ['f-done'], shownBefore: new Set(['h-shown']) }
    expect(excluded(contents, setting)).toEqual([
      { contentId: 'a-early', reason: 'not_started' },
      { contentId: 'b-late', reason: 'ended' },
      { contentId: 'c-sold', reason: 'out_of_stock' },
      { contentId: 'd-far', reason: 'condition', detail: 'context.country is "FR", wanted "DE"' },
      { contentId: 'e-broken', reason: 'broken_condition' },
      { contentId: 'f-done', reason: 'stopped' },
      { contentId: 'g-capped', reason: 'capped', detail: '3 of 3 in 24h' },
      { contentId: 'h-shown', reason: 'repeated' },
    ])
    const { choice } = decideOne(asked(contents, setting))
    expect(choice.contentIds).toEqual(['i-shown'])
    expect(choice.draw?.contents).toBe('nxocbskre')
  })

  it('has the first of several reasons: what holds of the content, of the person, of the page', () => {
    const capped = { caps: [{ count: 1, per: '24h' as const }] }
    const contents = [
      content('a-all', { ...capped, stopAfter: 'Order Completed' }),
      content('b-capped', capped),
      content('c-far', { ...capped, where: { 'context.country': 'DE' } }),
      content('d-uncapped'),
    ]
    const ids = contents.map(({ id }) => id)
    const decisions = [...ids, 'of another slot'].map(id => shown(id, HOUR))
    const setting = { decisions, stopped: ['a-all', 'of another slot'], shownBefore: new Set(ids) }
    expect(excluded(contents, setting).map(({ reason }) => reason)).toEqual([
      'stopped',
      'capped',
      'condition',
      'repeated',
    ])
  })

  it('is never capped for a program, unless the site counts those', () => {
    const contents = [content('a', { caps: [{ count: 1, per: '24h' }] })]
    const program = asked(contents, { decisions: [shown('a', HOUR)] })
    const suspicion = { ...NO_SUSPICION, isBot: true }
    const asBot = { ...program, person: { ...program.person!, suspicion } }
    expect(decideOne(program).choice.contentIds).toEqual([])
    expect(decideOne(asBot).choice.contentIds).toEqual(['a'])
    const segments = (compileSegments([]) as { value: CompiledSegments }).value
    const definitions = { features: DEFAULT_FEATURES, segments, includesBots: true }
    expect(decideOne({ ...asBot, definitions }).choice.contentIds).toEqual([])
  })

  it('leaves the slot to the page when that is all', () => {
    const contents = [content('a', { caps: [{ count: 0, per: '1h' }] }), content('b', { stock: 0 })]
    expect(decideOne(asked(contents)).choice).toMatchObject({ outcome: 'empty', contentIds: [], candidates: [] })
    expect(excluded(contents)[0]).toEqual({ contentId: 'a', reason: 'capped', detail: '0 of 0 in 1h' })
  })

  it.each([
    undefined,
    { type: 'fixed', contentIds: ['c1', 'c0'] },
    { type: 'weighted' },
    { type: 'affinity', exploration: 0.1 },
    { type: 'contextual', draw: 'gaps' },
    { type: 'ensemble', policies: [{ share: 1, policy: { type: 'popular', bySegment: false } }] },
  ] as Slot['policy'][])('leaves it to the page where everything is capped, by every policy: %j', policy => {
    const contents = Array.from({ length: 200 }, (_, n) => content(`c${n}`, { caps: [{ count: 2, per: '7d' }] }))
    const decisions = contents.flatMap(({ id }) => [shown(id, HOUR), shown(id, 30 * HOUR)])
    const campaigns: Slot['campaigns'] = [{ id: 'first', contentIds: ['c7'], mode: 'pin' }]
    const slot: Partial<Slot> = { campaigns, count: 3, exploration: { atLeast: 0.1, neverBelow: 0.01 } }
    const setting = { decisions, slot: { ...slot, policy } as Partial<Slot> }
    const { choice, reasons } = decideOne(asked(contents, setting))
    expect(choice).toMatchObject({ outcome: 'empty', contentIds: [], candidates: [] })
    expect(new Set(reasons)).toEqual(new Set([codeOf('capped')]))
    // The first that is free again is all there is.
    const free = decideOne(asked(contents, { ...setting, decisions: decisions.slice(1) })).choice
    expect(free).toMatchObject({ outcome: 'served', contentIds: ['c0'] })
  })

  it('is harmless however odd person, request and catalog are', () => {
    const hostile = '('.repeat(300)
    const contents = [
      content('no-such-trait', { where: { 'traits.a.b.c': { $gt: 5 } } }),
      content('wrong-type', { where: { 'context.country': { $gte: 5 } } }),
      content('hostile', { where: { 'context.country': { $regex: hostile } } }),
      content('slow', { where: { 'context.text': { $regex: '^(a+)+$' } } }),
      content('inherited', { where: { 'traits.constructor': { $exists: true } } }),
      content('deep', { where: JSON.parse(`${'{"$not":'.repeat(100)}{}${'}'.repeat(100)}`) as never }),
      content('list', { where: [] as never }),
      content('time', { startsAt: 'soon' }),
      content('tags', { tags: Array.from({ length: 10_000 }, (_, n) => (n % 3 === 0 ? (n as never) : `t${n}`)) }),
      content('price', { price: 'much' as never, brand: 7 as never, weight: Number.NaN }),
    ]
    const context = { sessionId: 's1', country: ['FR'], text: `${'a'.repeat(1_000)}b` }
    for (const policy of [undefined, { type: 'contextual' }, { type: 'weighted' }] as const) {
      const { choice } = decideOne(asked(contents, { slot: { policy }, context, traits: { plan: null, list: [[]] } }))
      expect(choice.outcome).toBe('served')
      expect(['tags', 'price']).toContain(choice.contentIds[0])
      expect(choice.excluded.map(({ contentId, reason }) => [contentId, reason])).toEqual([
        ['deep', 'broken_condition'],
        ['hostile', 'broken_condition'],
        ['inherited', 'condition'],
        ['list', 'broken_condition'],
        ['no-such-trait', 'condition'],
        ['slow', 'condition'],
        ['time', 'not_started'],
        ['wrong-type', 'condition'],
      ])
    }
  })
})

describe('a cap', () => {
  const times = (decisions: KeptDecision[], per: '1h' | '24h' | '7d' | 'session', sessionId = 's1') =>
    timesShown(showingsOf(decisions, NOW).get('a'), per, { now: NOW, sessionId })

  it('counts over its window, or its session', () => {
    const decisions = [MINUTE, 2 * HOUR, 25 * HOUR, 8 * 24 * HOUR].map(ago => shown('a', ago))
    expect((['1h', '24h', '7d', 'session'] as const).map(per => times(decisions, per))).toEqual([1, 2, 3, 4])
    expect(times(decisions, 'session', 's2')).toBe(0)
    const unnamed = [MINUTE, HOUR].map(ago => shown('a', ago, { sessionId: '' }))
    expect(times(unnamed, 'session', '')).toBe(1)
    // A window ends where it ends.
    expect(times([shown('a', HOUR)], '1h')).toBe(0)
    expect(times([shown('a', HOUR - 1)], '1h')).toBe(1)
  })

  it('counts an answer at once, and releases it when nothing views it within ten minutes', () => {
    const unviewed = (ago: number, fields: Partial<KeptDecision> = {}) =>
      shown('a', ago, { items: [{ contentId: 'a', position: 1 }], ...fields })
    expect(times([unviewed(0)], '1h')).toBe(1)
    expect(times([unviewed(10 * MINUTE)], '1h')).toBe(1)
    expect(times([unviewed(10 * MINUTE + 1)], '1h')).toBe(0)
    expect(times([unviewed(11 * MINUTE, { countFrom: 'served' })], '1h')).toBe(1)
  })

  it('counts each decision once, though two browsers of a person know of it', () => {
    expect(times([shown('a', MINUTE), shown('a', MINUTE)], '1h')).toBe(1)
  })
})

describe('conditions of a slot', () => {
  it('are compiled once however many contents have them, and ask of each path once', () => {
    const where = { 'context.country': 'FR', 'traits.plan': 'pro' }
    const contents = Array.from({ length: 100 }, (_, n) =>
      content(`c${n}`, { where: { ...where, 'context.n': n % 2 } }),
    )
    let reads = 0
    const context = new Proxy({ country: 'FR', n: 1 } as Record<string, unknown>, {
      get: (target, key) => {
        if (key === 'country' || key === 'n') reads++
        return target[key as string]
      },
    })
    const { compiled, situation } = compileAsked(asked(contents, { context, traits: { plan: 'pro' } }))
    expect(compiled.conditions).toHaveLength(2)
    expect(new Set(compiled.conditions.flat()).size).toBe(4)
    expect(new Set(compiled.needs.features)).toEqual(new Set())
    reads = 0
    for (const numbers of compiled.conditions) situation.answers.firstMiss(numbers)
    expect(reads).toBe(2)
  })
})
