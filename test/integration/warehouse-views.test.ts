import { describe, expect, it } from 'vitest'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { setUpWarehouse } from '../support/set-up-warehouse.js'
import { until } from '../support/until.js'
import { stored, type World } from './warehouse-world.js'

let world: World
const { loaded, drained } = setUpWarehouse(current => {
  world = current.world
})

describe('the views', () => {
  const at = (minutes: number) => new Date(Date.UTC(2026, 0, 10, 12) + minutes * 60_000).toISOString()
  const timed = (minutes: number, fields: Parameters<typeof stored>[0]) =>
    stored({ timestamp: at(minutes), originalTimestamp: at(minutes), sentAt: at(minutes), ...fields })

  it('count sessions, page views, vitals and the ledger of a small history', async () => {
    world.load()
    const page = (path: string) => ({ url: `https://shop.example${path}`, path, title: `At ${path}` })
    const mine = { sessionId: 's1', pageViewId: 'p1' }
    await world.publish([
      timed(0, { type: 'page', event: undefined, context: { ...mine, seq: 1, page: page('/') } }),
      timed(1, {
        event: 'Page Engaged',
        properties: { activeMs: 1500, scrollDepth: 0.5 },
        context: { ...mine, seq: 2, page: page('/') },
      }),
      timed(2, { event: 'Page Engaged', properties: { activeMs: 500 }, context: { ...mine, seq: 3, page: page('/') } }),
      timed(3, {
        event: 'Web Vital',
        properties: { name: 'LCP', value: 1200.5, rating: 'good', id: 'x' },
        context: { ...mine, seq: 4, page: page('/') },
      }),
      timed(4, {
        type: 'page',
        event: undefined,
        userId: 'u1',
        context: {
          sessionId: 's1',
          pageViewId: 'p2',
          seq: 7,
          page: page('/end'),
          ledger: { captured: 9, sent: 7, acknowledged: 5, dropped: { quota: 1 } },
        },
      }),
      // Without a session of the browser's: two visits, 40 minutes apart.
      timed(0, { anonymousId: 'v2', type: 'page', event: undefined, context: { page: page('/a') } }),
      timed(10, { anonymousId: 'v2', type: 'page', event: undefined, context: { page: page('/b') } }),
      timed(50, { anonymousId: 'v2', type: 'page', event: undefined, context: { page: page('/c') } }),
    ])
    await loaded(8)
    // A message is seen in its table a moment before its session has it.
    await until(
      'the session',
      () => world.number(`SELECT events FROM slotstream.sessions WHERE session_id = 's1'`),
      n => n === 5,
    )
    expect(
      await world.query(
        `SELECT anonymous_id, user_id, duration_s, engaged_s, page_views, events, entry_path, exit_path
         FROM slotstream.sessions ORDER BY anonymous_id, started_at`,
      ),
    ).toEqual([
      {
        anonymous_id: 'v1',
        user_id: 'u1',
        duration_s: 240,
        engaged_s: 2,
        page_views: 2,
        events: 5,
        entry_path: '/',
        exit_path: '/end',
      },
      {
        anonymous_id: 'v2',
        user_id: '',
        duration_s: 600,
        engaged_s: 0,
        page_views: 2,
        events: 2,
        entry_path: '/a',
        exit_path: '/b',
      },
      {
        anonymous_id: 'v2',
        user_id: '',
        duration_s: 0,
        engaged_s: 0,
        page_views: 1,
        events: 1,
        entry_path: '/c',
        exit_path: '/c',
      },
    ])
    expect(
      await world.query(
        "SELECT session_id, page_path, title, engaged_s FROM slotstream.page_views WHERE anonymous_id = 'v1' ORDER BY timestamp",
      ),
    ).toEqual([
      { session_id: 's1', page_path: '/', title: 'At /', engaged_s: 2 },
      { session_id: 's1', page_path: '/end', title: 'At /end', engaged_s: 0 },
    ])
    expect(await world.query('SELECT page_path, name, value, rating FROM slotstream.web_vitals')).toEqual([
      { page_path: '/', name: 'LCP', value: 1200.5, rating: 'good' },
    ])
    expect(
      await world.query('SELECT site_id, anonymous_id, captured, received, missing, dropped FROM slotstream.delivery'),
    ).toEqual([{ site_id: 'demo', anonymous_id: 'v1', captured: 9, received: 5, missing: 4, dropped: { quota: 1 } }])
  })

  it('join decisions with what came of them, and compare with the holdout', async () => {
    world.load()
    world.load({ spec: SPECS.decisions })
    const decision = (decisionId: string, fields: object) => ({
      decisionId,
      timestamp: at(0),
      slotId: 'hero',
      anonymousId: 'v1',
      policy: 'random',
      policyVersion: '1',
      outcome: 'served',
      holdout: false,
      contentIds: ['a', 'b'],
      propensities: [0.5, 0.25],
      position: 1,
      candidates: [{ contentId: 'a', score: 1, probability: 0.5 }],
      excluded: [{ contentId: 'z', reason: 'ended' }],
      features: { x: 1 },
      seed: 's',
      ...fields,
    })
    const none = {
      contentIds: [],
      propensities: [],
      candidates: [],
      holdout: true,
      outcome: 'holdout',
      anonymousId: 'v9',
    }
    const decisions = [
      decision('d1', {}),
      decision('d2', { contentIds: ['a'], propensities: [0.5], position: 3 }),
      ...['h1', 'h2', 'h3', 'h4'].map(id => decision(id, none)),
    ]
    const envelope = JSON.stringify({ siteId: 'demo', visitorId: 'v1', receivedAt: at(0), decisions })
    await world.nats.js.publish('decisions.0', envelope)
    await world.nats.js.publish('decisions.0', envelope)
    const slot = (event: string, decisionId: string, contentId?: string) =>
      timed(1, { event, properties: { slotId: 'hero', decisionId, ...(contentId ? { contentId, position: 1 } : {}) } })
    await world.publish([
      slot('Slot Viewed', 'd1', 'a'),
      slot('Slot Viewed', 'd1', 'b'),
      slot('Slot Viewed', 'd2', 'a'),
      slot('Slot Clicked', 'd1', 'a'),
      ...['h1', 'h2', 'h3', 'h4'].map(id => slot('Slot Viewed', id)),
      { ...slot('Slot Clicked', 'h1'), anonymousId: 'v9' },
      timed(60, { event: 'Order Completed', properties: { revenue: 30 } }),
      timed(120, { event: 'Order Completed', properties: { total: '12.5' } }),
      timed(26 * 60, { event: 'Order Completed', properties: { revenue: 1000 } }),
    ])
    await loaded(12)
    // Tables of views are filled after the rows are there.
    await drained()
    await until(
      'the decisions',
      () => world.number('SELECT count() FROM slotstream.decisions'),
      n => n === 6,
    )
    expect(
      await world.query(
        `SELECT decision_id, content_id, position, propensity, viewed, clicked, reward, revenue
         FROM slotstream.decision_rewards WHERE NOT holdout ORDER BY decision_id, position`,
      ),
    ).toEqual([
      {
        decision_id: 'd1',
        content_id: 'a',
        position: 1,
        propensity: 0.5,
        viewed: 1,
        clicked: 1,
        reward: 1,
        revenue: 42.5,
      },
      {
        decision_id: 'd1',
        content_id: 'b',
        position: 2,
        propensity: 0.25,
        viewed: 1,
        clicked: 0,
        reward: 0,
        revenue: 0,
      },
      {
        decision_id: 'd2',
        content_id: 'a',
        position: 3,
        propensity: 0.5,
        viewed: 1,
        clicked: 0,
        reward: 0,
        revenue: 0,
      },
    ])
    const performance = await world.query<Record<string, number>>(
      'SELECT * FROM slotstream.slot_performance WHERE NOT holdout ORDER BY content_id',
    )
    expect(performance).toHaveLength(2)
    expect(performance[0]).toMatchObject({
      content_id: 'a',
      day: '2026-01-10',
      impressions: 2,
      clicks: 1,
      ctr: 0.5,
      reward: 1,
      revenue: 42.5,
      lift: 0.25,
    })
    // Newcombe's interval of 1 of 2 and 1 of 4, from Wilson's of each.
    expect(performance[0]?.lift_low).toBeCloseTo(-0.355256, 6)
    expect(performance[0]?.lift_high).toBeCloseTo(0.704084, 6)
    expect(performance[1]).toMatchObject({ content_id: 'b', impressions: 1, clicks: 0, ctr: 0, lift: -0.25 })
  })
})
