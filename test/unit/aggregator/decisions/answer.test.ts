import { emptyEpochs, readModel } from '@slotstream/core'
import type { DecideRequest, Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { answer as answerAsker, noAnswer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { personOfProfile } from '#core/decide/person.js'

const NOW = Date.UTC(2026, 0, 10)

const request: DecideRequest = {
  siteId: 'shop',
  visitorId: 'v1',
  anonymousId: 'v1',
  slots: [{ id: 'hero' }, { id: 'list', count: 2 }, { id: 'nowhere' }],
  context: { sessionId: 's1', pageViewId: 'p1' },
  after: 0,
  deadlineMs: 100,
  explain: false,
}

function catalog() {
  const made = createCatalog()
  made.set('shop.slot.hero', { id: 'hero' })
  made.set('shop.slot.list', { id: 'list', count: 3, holdout: 1 })
  made.set('shop.content.a', { id: 'a', slots: ['hero', 'list'], payload: { title: 'A' } })
  return made
}

function answer(
  asked: DecideRequest,
  profile: Profile | undefined,
  made: ReturnType<typeof createCatalog>,
  now: number,
  id?: () => string,
  ageMs = 0,
) {
  return answerAsker(asked, { profile, ageMs }, { catalog: made }, now, id)
}

function newId() {
  let ids = 0
  return () => `d${++ids}`
}

describe('an answer', () => {
  it('tells the visitor’s profile what an item earns at most, by what is typical', () => {
    const made = createCatalog()
    const revenue = { event: 'Order Completed', value: 'properties.revenue', windowHours: 24 }
    made.set('shop.slot.hero', { id: 'hero', rewards: [revenue] })
    made.set('shop.content.a', { id: 'a', slots: ['hero'] })
    const model = readModel(emptyEpochs(NOW), { dimension: 0, trendHalfLifeMs: 1_000 })
    const servedBy = (typical?: number) =>
      answerAsker(
        { ...request, slots: [{ id: 'hero' }] },
        { profile: undefined },
        { catalog: made, models: { modelOf: () => (typical === undefined ? model : { ...model, typical }) } },
        NOW,
      ).served
    expect(servedBy(50)).toMatchObject([{ slotId: 'hero', rewards: [revenue], most: 8 * 50 * 10_000 }])
    expect(servedBy()[0]).not.toHaveProperty('most')
  })

  it('records the rule of the slot as it is, and an id that begins with the time of the decision', () => {
    const attribution = { rule: 'linear', windowHours: 48 }
    const changed = catalog()
    const before = answer(request, undefined, changed, NOW)
    changed.set('shop.slot.hero', { id: 'hero', attribution })
    const after = answer(request, undefined, changed, NOW)
    expect(before.records[0]?.attribution).toBeUndefined()
    expect(after.records[0]?.attribution).toEqual(attribution)
    expect(after.records[0]?.policyVersion).toBe(before.records[0]?.policyVersion)
    for (const { decisionId, timestamp } of after.records)
      expect(Number.parseInt(decisionId.replace('-', '').slice(0, 12), 16)).toBe(Date.parse(timestamp))
  })

  it('has a decision and a record for each slot, with the same ids and choices', () => {
    const { decisions, records } = answer(request, undefined, catalog(), NOW, newId())
    expect(decisions).toEqual([
      {
        slotId: 'hero',
        decisionId: 'd1',
        outcome: 'served',
        items: [{ contentId: 'a', position: 1, payload: { title: 'A' } }],
        ages: { affinities: 0 },
      },
      { slotId: 'list', decisionId: 'd2', outcome: 'holdout', items: [], ages: { affinities: 0 } },
      { slotId: 'nowhere', decisionId: 'd3', outcome: 'unknown_slot', items: [] },
    ])
    expect(
      records.map(({ decisionId, slotId, outcome, contentIds }) => [decisionId, slotId, outcome, contentIds]),
    ).toEqual([
      ['d1', 'hero', 'served', ['a']],
      ['d2', 'list', 'holdout', []],
      ['d3', 'nowhere', 'unknown_slot', []],
    ])
    expect(records[0]).toMatchObject({
      timestamp: '2026-01-10T00:00:00.000Z',
      anonymousId: 'v1',
      sessionId: 's1',
      pageViewId: 'p1',
      position: 1,
      seed: 'd1',
    })
    expect(records[0]).not.toHaveProperty('userId')
    expect(records[0]).not.toHaveProperty('explored')
  })

  it('says why only when asked', () => {
    const { decisions } = answer({ ...request, explain: true }, undefined, catalog(), NOW, newId())
    expect(decisions[0]?.reason).toMatchObject({
      policy: 'default',
      propensities: [1],
      explored: false,
      affinities: {},
    })
  })

  it('tells a public key what is asked for, and of a person nothing else', () => {
    const guarded = catalog()
    const where = (path: string, wanted: unknown) => ({ slots: ['hero'], where: { [path]: wanted } })
    guarded.set('shop.content.mail', { id: 'mail', ...where('traits.email', { $regex: 'vip' }) })
    guarded.set('shop.content.land', { id: 'land', ...where('context.land', 'DE') })
    guarded.set('shop.content.both', {
      id: 'both',
      slots: ['hero'],
      where: { $or: [{ 'context.land': 'DE' }, { 'traits.email': 'x' }] },
    })
    const person = { ...personOfProfile('v1', undefined, NOW), traits: { email: 'bob@example.com' } }
    const excludedFor = (fields: Partial<DecideRequest>) => {
      const asked = { ...request, context: { land: 'FR' }, explain: true, ...fields }
      const { decisions } = answerAsker(asked, { profile: undefined, person }, { catalog: guarded }, NOW, newId())
      return Object.fromEntries(decisions[0]!.reason!.excluded.map(({ contentId, detail }) => [contentId, detail]))
    }
    expect(excludedFor({})).toMatchObject({
      mail: 'asks for traits.email',
      land: 'context.land is "FR", wanted "DE"',
      both: 'asks for context.land, traits.email',
    })
    expect(JSON.stringify(excludedFor({}))).not.toContain('bob')
    expect(excludedFor({ tellsPerson: true }).mail).toContain('bob@example.com')
  })

  it('that comes too late leaves every slot to the page, the holdout still known', () => {
    const { decisions, records } = noAnswer(request, 'timeout', catalog(), NOW, newId())
    expect(decisions.map(({ outcome, items }) => [outcome, items])).toEqual([
      ['timeout', []],
      ['timeout', []],
      ['timeout', []],
    ])
    expect(records.map(({ outcome, holdout }) => [outcome, holdout])).toEqual([
      ['timeout', false],
      ['timeout', true],
      ['timeout', false],
    ])
  })

  it('leaves a slot to the page whose policy knows too little of late, and records how old that is', () => {
    const aged = catalog()
    aged.set('shop.slot.hero', { id: 'hero', maxAge: '1s' })
    const { decisions, records } = answer(request, undefined, aged, NOW, newId(), 1_500)
    expect(decisions[0]).toEqual({
      slotId: 'hero',
      decisionId: 'd1',
      outcome: 'stale',
      items: [],
      ages: { affinities: 1_500 },
    })
    expect(records[0]).toMatchObject({ outcome: 'stale', contentIds: [], features: { ages: { affinities: 1_500 } } })
    expect(decisions[1]).toMatchObject({ outcome: 'holdout' })
  })
})
