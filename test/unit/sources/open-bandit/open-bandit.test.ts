import { checkContent, checkMessage, checkSlot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import {
  anonymousIdOf,
  readImpression,
  toContent,
  toDecision,
  toMessages,
  toSlot,
} from '#sources/open-bandit/open-bandit.js'
import { anImpression, SOURCE } from './impressions.js'

const FIELDS = {
  timestamp: '2019-11-24 00:03:13.442536+00:00',
  item_id: '14',
  position: '3',
  click: '1',
  propensity_score: '0.029411764705882353',
  user_feature_0: 'a',
  'user-item_affinity_0': '0.0',
  'user-item_affinity_7': '2.0',
}

describe('readImpression', () => {
  it('reads a row, its time to the millisecond and only the affinities that are not zero', () => {
    expect(readImpression({ line: 2, fields: FIELDS }, 9, 'log.csv')).toEqual({
      index: 9,
      time: Date.UTC(2019, 10, 24, 0, 3, 13, 442),
      contentId: 'item-14',
      position: 3,
      clicked: true,
      propensity: 0.029411764705882353,
      userFeatures: { user_feature_0: 'a' },
      affinities: { 'item-7': 2 },
    })
  })

  it.each([
    ['timestamp', 'yesterday'],
    ['item_id', '-1'],
    ['position', '4'],
    ['position', '1.5'],
    ['click', ''],
    ['propensity_score', '0'],
    ['propensity_score', 'NaN'],
  ])('refuses a %s of "%s" and names the line', (column, value) => {
    const row = { line: 7, fields: { ...FIELDS, [column]: value } }
    expect(() => readImpression(row, 0, 'log.csv')).toThrow(`log.csv:7: ${column} is "${value}"`)
  })
})

describe('the records of an impression', () => {
  it('are the same each time, and others for another row, site or log', () => {
    const ids = (impression = anImpression(), source = SOURCE) => [
      toDecision(impression, source).decisionId,
      ...toMessages({ ...impression, clicked: true }, source).map(message => message.messageId),
    ]
    expect(ids()).toEqual(ids())
    const all = [
      ...ids(),
      ...ids(anImpression({ index: 1 })),
      ...ids(anImpression(), { ...SOURCE, siteId: 'another' }),
      ...ids(anImpression(), { ...SOURCE, fingerprint: 'f2' }),
    ]
    expect(new Set(all).size).toBe(12)
    for (const id of all) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('keep their time of 2019 through the check of the collector', () => {
    const received = Date.UTC(2026, 0, 1)
    for (const message of toMessages(anImpression({ clicked: true }), SOURCE)) {
      const checked = checkMessage(message, { received })
      expect(checked).toMatchObject({ ok: true, message: { timestamp: '2019-11-24T00:03:13.442Z' } })
    }
  })

  it('are an impression, a click only where there was one, and the decision both point to', () => {
    const events = (clicked: boolean) => toMessages(anImpression({ clicked }), SOURCE).map(message => message.event)
    expect(events(false)).toEqual(['Slot Viewed'])
    expect(events(true)).toEqual(['Slot Viewed', 'Slot Clicked'])
    const decision = toDecision(anImpression(), SOURCE)
    expect(decision).toMatchObject({
      policy: 'random',
      outcome: 'served',
      contentIds: ['item-14'],
      propensities: [1 / 34],
      position: 3,
      timestamp: '2019-11-24T00:03:13.442Z',
    })
    for (const message of toMessages(anImpression({ clicked: true }), SOURCE))
      expect(message.properties).toEqual({
        slotId: decision.slotId,
        contentId: 'item-14',
        decisionId: decision.decisionId,
        position: 3,
      })
  })
})

describe('visitors', () => {
  it('are the distinct combinations of user features', () => {
    const of = (userFeatures: Record<string, string>) => anonymousIdOf(anImpression({ userFeatures }))
    expect(of({ a: 'x', b: 'y' })).toBe(of({ a: 'x', b: 'y' }))
    expect(of({ a: 'x', b: 'y' })).not.toBe(of({ a: 'y', b: 'x' }))
    expect(of({ a: 'xy', b: '' })).not.toBe(of({ a: 'x', b: 'y' }))
  })
})

describe('the catalog', () => {
  it('passes the checks of the collector, with the category from the features', () => {
    const content = toContent('item-3', { item_id: '3', item_feature_0: '-0.6', item_feature_1: 'shirts' })
    expect(checkContent(content)).toEqual({ ok: true, value: content })
    expect(content).toMatchObject({ id: 'item-3', category: 'shirts', slots: [toSlot().id] })
    expect(content.payload).toEqual({ title: 'item-3', item_feature_0: '-0.6', item_feature_1: 'shirts' })
    expect(checkSlot(toSlot())).toEqual({ ok: true, value: toSlot() })
    expect(checkContent(toContent('item-4')).ok).toBe(true)
  })
})
