import {
  type Check,
  checkContent,
  checkSite,
  checkSlot,
  checkSlotsRequest,
  MAX_ITEMS,
  MAX_SLOTS,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

function reasonOf(checked: Check<unknown>): string {
  if (checked.ok) throw new Error('was taken')
  return checked.reason
}

function taken<T>(checked: Check<T>): T {
  if (!checked.ok) throw new Error(checked.reason)
  return checked.value
}

describe('checkSlotsRequest', () => {
  const good = { anonymousId: 'a', slots: [{ id: 'hero' }] }

  it.each([
    good,
    { userId: 'u', slots: [{ id: 'hero', count: 3 }] },
    { ...good, batch: [], batches: [{}], context: {}, after: 0 },
  ])('takes %j', raw => {
    expect(taken(checkSlotsRequest(raw))).toEqual(raw)
  })

  it('takes a userId that is no id beside an anonymousId: the browser asks', () => {
    for (const userId of ['undefined', 'null', '0', ' '])
      expect(taken(checkSlotsRequest({ ...good, userId }))).toEqual({ ...good, userId })
  })

  it('takes what is null for left out', () => {
    const nulls = ['userId', 'signature', 'context', 'batch', 'batches', 'preview', 'after'].map(field => [field, null])
    expect(taken(checkSlotsRequest({ ...good, ...Object.fromEntries(nulls) }))).toEqual(good)
    expect(taken(checkSlotsRequest({ ...good, slots: [{ id: 'hero', count: null }] }))).toEqual(good)
  })

  it('makes text of ids that are numbers, as in messages', () => {
    const context = { sessionId: 1717243200, pageViewId: 7, page: { path: '/' } }
    expect(taken(checkSlotsRequest({ ...good, anonymousId: 42, userId: 7, context }))).toEqual({
      ...good,
      anonymousId: '42',
      userId: '7',
      context: { sessionId: '1717243200', pageViewId: '7', page: { path: '/' } },
    })
  })

  it.each([
    [null, 'object'],
    [[], 'object'],
    [{ slots: good.slots }, 'anonymousId'],
    [{ ...good, anonymousId: '' }, 'anonymousId'],
    [{ ...good, anonymousId: [42], userId: 'u' }, 'anonymousId'],
    [{ ...good, anonymousId: 'undefined' }, 'anonymousId "undefined" is no id'],
    [{ slots: good.slots, userId: 0 }, 'userId "0" is no id'],
    [{ ...good, userId: 'x'.repeat(257) }, 'userId'],
    [{ anonymousId: 'a' }, 'slots'],
    [{ ...good, slots: [] }, 'slots'],
    [{ ...good, slots: 'hero' }, 'slots'],
    [{ ...good, slots: ['hero'] }, 'slots[0].id'],
    [{ ...good, slots: [{ id: 'hero' }, { id: 5 }] }, 'slots[1].id'],
    [{ ...good, slots: [{ id: '\ufdd012345678901234567890' }] }, 'slots[0].id'],
    [{ ...good, slots: [{ id: 'hero', count: 0 }] }, 'slots[0].count'],
    [{ ...good, slots: [{ id: 'hero', count: MAX_ITEMS + 1 }] }, 'slots[0].count'],
    [{ ...good, slots: [{ id: 'hero', count: 1.5 }] }, 'slots[0].count'],
    [{ ...good, slots: [50, 50, undefined].map(count => ({ id: 'hero', count })) }, '101 items'],
    [{ ...good, slots: new Array(MAX_SLOTS + 1).fill({ id: 'hero' }) }, String(MAX_SLOTS)],
    [{ ...good, batch: {} }, 'batch'],
    [{ ...good, batches: [[]] }, 'batches'],
    [{ ...good, context: 'text' }, 'context'],
    [{ ...good, after: -1 }, 'after'],
    [{ ...good, after: '5' }, 'after'],
    [{ ...good, after: 2 ** 60 }, 'after'],
  ])('refuses %j', (raw, named) => {
    expect(reasonOf(checkSlotsRequest(raw))).toContain(named)
  })
})

describe('checkSlot', () => {
  it('fills in defaults', () => {
    // Without a policy it has the default one, which is no property of the slot.
    expect(taken(checkSlot({ id: 'hero' }))).toEqual({ id: 'hero', count: 1, holdout: 0 })
    expect(taken(checkSlot({ id: 'hero', policy: { type: 'affinity' } })).policy).toEqual({
      type: 'affinity',
      exploration: 0.1,
    })
  })

  it('keeps what is set, and nothing it does not know', () => {
    const slot = { id: 'hero', policy: { type: 'fixed', contentIds: ['a', 'b'] }, count: 2, holdout: 0.1 }
    expect(taken(checkSlot({ ...slot, extra: 1 }))).toEqual(slot)
    expect(taken(checkSlot({ id: 'h', policy: { type: 'random', more: 1 } })).policy).toEqual({ type: 'random' })
  })

  it('keeps how orders are credited, with what is left out filled in', () => {
    const credited = (attribution: object) => taken(checkSlot({ id: 'h', attribution })).attribution
    expect(credited({})).toEqual({ rule: 'lastClick', windowHours: 24 })
    expect(credited({ rule: 'linear' })).toEqual({ rule: 'linear', windowHours: 24 })
    expect(credited({ rule: 'firstClick', windowHours: 720 })).toEqual({ rule: 'firstClick', windowHours: 720 })
  })

  it.each([
    [{}, 'id'],
    [{ id: 'h', attribution: 'lastClick' }, 'attribution must be an object'],
    [{ id: 'h', attribution: { rule: 'lastclick' } }, 'attribution.rule must be one of lastClick, firstClick, linear'],
    [{ id: 'h', attribution: { windowHours: 0 } }, 'attribution.windowHours must be a whole number from 1 to 720'],
    [{ id: 'h', attribution: { windowHours: '24' } }, 'attribution.windowHours'],
    [{ id: 'h', attribution: { window: 24 } }, 'attribution.window is not known: give rule and windowHours'],
    [{ id: 'h', count: 0 }, 'count'],
    [{ id: 'h', holdout: 1.1 }, 'holdout'],
    [{ id: 'h', policy: 'random' }, 'policy'],
    [{ id: 'h', policy: { type: 'best' } }, 'policy.type'],
    [{ id: 'h', policy: { type: 'affinity', exploration: 2 } }, 'exploration'],
    [{ id: 'h', policy: { type: 'fixed' } }, 'contentIds'],
    [{ id: 'h', policy: { type: 'fixed', contentIds: [1] } }, 'contentIds'],
  ])('refuses %j', (raw, named) => {
    expect(reasonOf(checkSlot(raw))).toContain(named)
  })
})

describe('checkContent', () => {
  it('fills in defaults', () => {
    expect(taken(checkContent({ id: 'c', slots: ['hero'] }))).toEqual({
      id: 'c',
      slots: ['hero'],
      category: '',
      payload: {},
    })
  })

  it.each([
    [{ slots: [] }, 'id'],
    [{ id: 'c', slots: 'hero' }, 'slots'],
    [{ id: 'c', slots: [1] }, 'slots'],
    [{ id: 'c', slots: [], category: 1 }, 'category'],
    [{ id: 'c', slots: [], payload: [] }, 'payload'],
    [{ id: 'c', slots: [], payload: { title: {} } }, 'payload.title'],
    [{ id: 'c', slots: [], startsAt: 'soon' }, 'startsAt'],
    [{ id: 'c', slots: [], endsAt: 5 }, 'endsAt'],
  ])('refuses %j', (raw, named) => {
    expect(reasonOf(checkContent(raw))).toContain(named)
  })
})

describe('checkSite', () => {
  it('fills in defaults', () => {
    expect(taken(checkSite({ siteId: 'shop', writeKeys: ['k'] }))).toEqual({
      siteId: 'shop',
      name: 'shop',
      writeKeys: ['k'],
      allowedOrigins: [],
      debug: false,
    })
  })

  it.each([
    [null, 'object'],
    [{ writeKeys: ['k'] }, 'siteId'],
    [{ siteId: 'a.b', writeKeys: ['k'] }, 'siteId'],
    [{ siteId: '>', writeKeys: ['k'] }, 'siteId'],
    [{ siteId: 'x'.repeat(65), writeKeys: ['k'] }, 'siteId'],
    [{ siteId: 'shop' }, 'writeKeys'],
    [{ siteId: 'shop', writeKeys: [] }, 'writeKeys'],
    [{ siteId: 'shop', writeKeys: [''] }, 'writeKeys'],
    [{ siteId: 'shop', writeKeys: ['k'], allowedOrigins: '*' }, 'allowedOrigins'],
    [{ siteId: 'shop', writeKeys: ['k'], debug: 'yes' }, 'debug'],
    [{ siteId: 'shop', writeKeys: ['k'], name: 5 }, 'name'],
  ])('refuses %j', (raw, named) => {
    expect(reasonOf(checkSite(raw))).toContain(named)
  })
})

describe('the settings of a site', () => {
  const site = { siteId: 'shop', writeKeys: ['k'] }

  it('are kept as they are given', () => {
    const settings = {
      enrichment: { ip: 'truncated', idCookie: 'shop.example', scrub: ['voucher'] },
      requestsPerSecond: 5,
      signals: ['interest_shift', 'cart_abandonment'],
    }
    expect(checkSite({ ...site, signals: [] })).toMatchObject({ ok: true, value: { signals: [] } })
    expect(checkSite({ ...site, bots: 'include' })).toMatchObject({ ok: true, value: { bots: 'include' } })
    const holdout = { share: 0.05, tag: '2026' }
    expect(checkSite({ ...site, holdout })).toMatchObject({ ok: true, value: { holdout } })
    expect(checkSite({ ...site, ...settings })).toMatchObject({ ok: true, value: settings })
    expect(checkSite(site)).toMatchObject({ ok: true, value: { siteId: 'shop', debug: false } })
  })

  it.each([
    [{ holdout: 0.1 }, /holdout must be/],
    [{ holdout: { share: 2 } }, /holdout must be/],
    [{ holdout: { share: 0.1, tag: 'a b' } }, /holdout must be/],
    [{ holdout: { share: 0.1, tags: [] } }, /holdout must be/],
    [{ enrichment: true }, /enrichment must be an object/],
    [{ enrichment: { bot: true } }, /enrichment\.bot is unknown: there are .*bots/],
    [{ enrichment: { bots: 'yes' } }, /enrichment\.bots must be true or false/],
    [{ enrichment: { ip: 'full' } }, /"none" or "truncated"/],
    [{ enrichment: { idCookie: 'evil; Path=/' } }, /enrichment\.idCookie must be/],
    [{ enrichment: { scrub: ['Token'] } }, /small letters/],
    [{ requestsPerSecond: 0 }, /requestsPerSecond/],
    [{ signals: false }, /signals must be a list/],
    [{ bots: 'yes' }, /bots must be one of exclude, include/],
    [
      { signals: ['is leaving'] },
      /of interest_shift, session_anomaly, repeated_view or of patterns; an empty one for none/,
    ],
    [{ signals: Array(201).fill('interest_shift') }, /up to 200 names/],
  ])('are rejected when they cannot be meant: %j', (settings, reason) => {
    expect(checkSite({ ...site, ...settings })).toMatchObject({ ok: false, reason: expect.stringMatching(reason) })
  })
})
