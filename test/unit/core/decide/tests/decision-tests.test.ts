import { createRunDecisionTest } from '@slotstream/core'
import {
  type Content,
  checkDecisionTests,
  type DecisionTest,
  type PolicySpec,
  type Slot,
  shareOf,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { decideOne } from '../some-question.js'

const NOW = Date.UTC(2026, 0, 10, 12)
const content = (id: string, more: Partial<Content> = {}): Content => ({
  id,
  slots: ['hero'],
  category: id,
  payload: {},
  ...more,
})
const slotOf = (more: Partial<Slot> = {}): Slot => ({ id: 'hero', count: 1, holdout: 0, ...more })

function run(slot: Slot, contents: Content[], test: Partial<DecisionTest>): string[] {
  const whole = { given: {}, slot: 'hero', expect: {}, ...test }
  return createRunDecisionTest({ slots: [slot], content: contents }, 'shop', NOW)(whole)
}

describe('a decision test', () => {
  const contents = ['a', 'b', 'c'].map(id => content(id))

  it('passes where all is as it expects', () => {
    expect(run(slotOf(), contents, { expect: { never: ['x'], anyOf: ['a', 'b', 'c'], outcome: 'served' } })).toEqual([])
    expect(run(slotOf(), contents.slice(0, 1), { expect: { always: ['a'] } })).toEqual([])
    expect(run(slotOf(), [], { expect: { outcome: 'empty', never: ['a'] } })).toEqual([])
  })

  it('says what is not', () => {
    const all = { never: ['a'], always: ['b', 'x'], anyOf: ['a'], outcome: 'empty' } as const
    expect(
      run(slotOf(), contents, { expect: { ...all, never: [...all.never], always: [...all.always], anyOf: ['a'] } }),
    ).toEqual([
      'never a: it can be shown',
      'always b: a, c can be shown, too',
      'always x: it cannot be shown, the slot has no such content',
      'anyOf: b, c can be shown, too',
      'outcome: it is served, not empty',
    ])
    expect(run(slotOf(), contents, { slot: 'heros' })).toEqual(['there is no slot "heros"'])
    expect(run(slotOf(), [], { expect: { anyOf: ['a'] } })).toEqual([
      'anyOf: nothing can be shown, the outcome is empty',
    ])
  })

  it('gives features of content by content', () => {
    const where = { 'content.features.content_trend': { $gte: 5 } }
    const two = [content('a', { where }), content('b', { where })]
    const given = { content: { a: { content_trend: 5 }, b: { content_trend: 4 } } }
    expect(run(slotOf(), two, { given, expect: { always: ['a'], never: ['b'] } })).toEqual([])
    expect(run(slotOf(), two, { given, expect: { always: ['b'] } })).toEqual([
      'always b: it cannot be shown, condition: content.features.content_trend is 4, wanted at least 5',
    ])
    expect(run(slotOf(), two, { expect: { outcome: 'empty' } })).toEqual([])
    const campaigns = [{ id: 'hot', mode: 'pin' as const, contentIds: ['x', 'y'], where }]
    const hot = { given: { content: { y: { content_trend: 6 } } }, expect: { always: ['y'] } }
    expect(run(slotOf({ campaigns }), [content('x'), content('y'), content('z')], hot)).toEqual([])
  })

  it.each([
    [{ startsAt: '2026-01-11T00:00:00Z' }, 'not started'],
    [{ endsAt: '2026-01-10T00:00:00Z' }, 'ended'],
    [{ stock: 0 }, 'out of stock'],
    [{ where: { 'traits.plan': 'pro' } }, 'condition: traits.plan is '],
    [{ where: { segments: { $in: ['vip'] } } }, 'condition: segments'],
    [{ where: { 'traits.plan': { $regex: '(' } } }, 'broken condition'],
  ])('says why content is not shown: %j', (more, reason) => {
    const [fault] = run(slotOf(), [content('a', more)], { expect: { always: ['a'] } })
    expect(fault).toContain(`always a: it cannot be shown, ${reason}`)
  })

  it('has a person of its own: traits, segments, signals, features, times, and what they were shown', () => {
    const only = (where: Content['where']) => [content('a', { where })]
    const always = { always: ['a'] }
    const profile = {
      traits: { plan: 'pro' },
      segments: ['vip'],
      signals: ['interest_shift'],
      features: { views: { camp: 3 } },
      sessions: 2,
      firstSeen: '2026-01-01T00:00:00Z',
    }
    for (const where of [
      { 'traits.plan': 'pro' },
      { segments: { $in: ['vip'] } },
      { signals: { $in: ['interest_shift'] } },
      { 'features.views.camp': { $gte: 3 } },
      { 'profile.sessions': 2 },
      { 'profile.firstSeen': { $lt: '2026-01-02T00:00:00Z' } },
    ] as NonNullable<Content['where']>[]) {
      expect(run(slotOf(), only(where), { given: { profile }, expect: always })).toEqual([])
      expect(run(slotOf(), only(where), { expect: { never: ['a'], outcome: 'empty' } })).toEqual([])
    }
    const context = { locale: 'de', page: { path: '/x' } }
    expect(run(slotOf(), only({ 'context.page.path': '/x' }), { given: { context }, expect: always })).toEqual([])
    const capped = [content('a', { caps: [{ count: 2, per: '24h' }] })]
    const shown = (...agos: string[]) => ({ profile: { shown: agos.map(ago => ({ contentId: 'a', ago })) } })
    expect(run(slotOf(), capped, { given: shown('1h', '25h'), expect: always })).toEqual([])
    expect(run(slotOf(), capped, { given: shown('1h', '2h'), expect: always })).toEqual([
      'always a: it cannot be shown, capped: 2 of 2 in 24h',
    ])
    const perSession = [content('a', { caps: [{ count: 1, per: 'session' }] })]
    expect(
      run(slotOf(), perSession, { given: { ...shown('5m'), context: { sessionId: 's' } }, expect: { never: ['a'] } }),
    ).toEqual([])
    const stopped = { profile: { stopped: ['a'] } }
    expect(run(slotOf(), contents.slice(0, 1), { given: stopped, expect: { never: ['a'] } })).toEqual([])
  })

  it('asks at its own time', () => {
    const dated = [content('a', { startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-03-01T00:00:00Z' })]
    const at = (now: string, expected: DecisionTest['expect']) =>
      run(slotOf(), dated, { given: { now }, expect: expected })
    expect(at('2026-01-31T23:59:59Z', { never: ['a'] })).toEqual([])
    expect(at('2026-02-01T00:00:00Z', { always: ['a'] })).toEqual([])
    expect(at('2026-03-01', { never: ['a'] })).toEqual([])
  })

  it('has the holdout of the visitor that it names, and none where it names none', () => {
    const id = Array.from({ length: 100 }, (_, n) => `v${n}`).find(each => shareOf('holdout', 'shop', each) < 0.5)!
    const slot = slotOf({ holdout: 0.5 })
    expect(
      run(slot, contents, { given: { profile: { anonymousId: id } }, expect: { outcome: 'holdout', never: ['a'] } }),
    ).toEqual([])
    expect(run(slot, contents, { given: { profile: { anonymousId: id } }, expect: { always: ['a'] } })[0]).toContain(
      'in the holdout',
    )
    expect(run({ ...slot, holdout: 1 }, contents, { expect: { outcome: 'served' } })).toEqual([])
  })
})

describe('what can be shown', () => {
  const contents = ['a', 'b', 'c', 'd'].map((id, n) => content(id, { weight: n === 3 ? 0 : n + 1 }))

  it.each([
    [{ type: 'fixed', contentIds: ['c', 'a', 'b'] }, 1, 'c', 'c'],
    [{ type: 'fixed', contentIds: ['c', 'a', 'b'] }, 2, 'ac', 'ac'],
    [{ type: 'random' }, 1, 'abcd', ''],
    [{ type: 'random' }, 4, 'abcd', 'abcd'],
    [{ type: 'affinity', exploration: 0 }, 1, 'b', 'b'],
    [{ type: 'affinity', exploration: 0 }, 2, 'abcd', 'b'],
    [{ type: 'affinity', exploration: 0.1 }, 1, 'abcd', ''],
    [{ type: 'thompson' }, 1, 'abcd', ''],
    [{ type: 'popular' }, 1, 'abcd', ''],
    [{ type: 'contextual', draw: 'gaps' }, 2, 'abcd', ''],
    [
      {
        type: 'ensemble',
        policies: [
          { share: 1, policy: { type: 'fixed', contentIds: ['a', 'b'] } },
          { share: 1, policy: { type: 'fixed', contentIds: ['c', 'a'] } },
        ],
      },
      2,
      'abc',
      'a',
    ],
  ] as [PolicySpec, number, string, string][])(
    'by %j of %d is known, not sampled',
    (policy, count, possible, certain) => {
      const slot = slotOf({ policy, count })
      const given = { profile: { affinities: { b: 1 } } }
      const ids = contents.map(({ id }) => id)
      const shown = (expected: DecisionTest['expect']) => run(slot, contents, { given, expect: expected })
      expect(ids.filter(id => shown({ never: [id] }).length > 0).join('')).toBe(possible)
      expect(ids.filter(id => shown({ always: [id] }).length === 0).join('')).toBe(certain)
    },
  )

  it('is what is drawn: weights, campaigns and caps among it', () => {
    const campaigns: Slot['campaigns'] = [
      { id: 'pinned', contentIds: ['d'], mode: 'pin' },
      { id: 'boosted', contentIds: ['a', 'b'], mode: 'boost' },
    ]
    for (const slot of [
      slotOf({ policy: { type: 'weighted' }, exploration: { atLeast: 0 } }),
      slotOf({ policy: { type: 'weighted' }, count: 2 }),
      slotOf({ policy: { type: 'random' }, count: 2, campaigns }),
      slotOf({ policy: { type: 'random' }, count: 4, campaigns }),
      slotOf({ count: 3, campaigns: campaigns.slice(1) }),
    ]) {
      const drawn = new Map<string, number>()
      const times = 600
      for (let n = 0; n < times; n++) {
        const { choice } = decideOne({
          siteId: 'shop',
          visitorId: 'visitor',
          profile: undefined,
          slot,
          contents,
          now: NOW,
          seed: `${n}`,
        })
        for (const id of choice.contentIds) drawn.set(id, (drawn.get(id) ?? 0) + 1)
      }
      for (const { id } of contents) {
        const isPossible = run(slot, contents, { expect: { never: [id] } }).length > 0
        const isCertain = run(slot, contents, { expect: { always: [id] } }).length === 0
        expect([slot.count, id, isPossible]).toEqual([slot.count, id, drawn.has(id)])
        expect([slot.count, id, isCertain]).toEqual([slot.count, id, drawn.get(id) === times])
      }
    }
  })
})

describe('decision tests', () => {
  it('may leave out what does not matter, and have null for a newcomer', () => {
    expect(checkDecisionTests([{ given: { profile: null }, slot: 'hero', expect: { never: ['a'] } }])).toEqual({
      ok: true,
      value: [{ given: {}, slot: 'hero', expect: { never: ['a'] } }],
    })
    expect(checkDecisionTests([{ slot: 'hero', expect: { outcome: 'empty' } }])).toMatchObject({ ok: true })
  })

  it.each([
    [{}, 'tests must be a list'],
    [[5], 'tests[0] must be an object'],
    [[{ expect: { never: [] } }], 'tests[0].slot must be text'],
    [[{ slot: 'hero' }], 'tests[0].expect must be an object'],
    [[{ slot: 'hero', expect: {} }], 'tests[0].expect must be an object'],
    [
      [{ slot: 'hero', expect: { nevr: ['a'] } }],
      'tests[0].expect.nevr is unknown: did you mean tests[0].expect.never?',
    ],
    [[{ slot: 'hero', expect: { never: 'a' } }], 'tests[0].expect.never must be a list of content ids'],
    [[{ slot: 'hero', expect: { outcome: 'shown' } }], 'tests[0].expect.outcome must be one of served, holdout, empty'],
    [[{ slot: 'hero', expect: { never: [] }, given: { profil: {} } }], 'did you mean tests[0].given.profile?'],
    [[{ slot: 'hero', expect: { never: [] }, given: { now: 'soon' } }], 'tests[0].given.now must be a time'],
    [
      [{ slot: 'hero', expect: { never: [] }, given: { content: { a: 5 } } }],
      'tests[0].given.content must be an object',
    ],
    [
      [{ slot: 'hero', expect: { never: [] }, given: { profile: { segment: [] } } }],
      'did you mean tests[0].given.profile.segments?',
    ],
    [
      [{ slot: 'hero', expect: { never: [] }, given: { profile: { shown: [{ contentId: 'a' }] } } }],
      'shown[0].ago must be a duration',
    ],
    [Array(1_001).fill({ slot: 'hero', expect: { never: [] } }), 'tests has 1001 entries, 1000 are allowed'],
  ])('are rejected: %j', (raw, fault) => {
    const checked = checkDecisionTests(raw)
    expect(checked.ok ? '' : checked.faults.join('\n')).toContain(fault)
  })
})
