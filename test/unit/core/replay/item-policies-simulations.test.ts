import type { PolicySpec, RecordedFacts } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { createSlotComparer, type ReplayedDecision } from '#core/replay/compare-slots.js'
import { itemsAlong } from '#core/replay/items-along.js'
import { createTournament } from '#core/replay/tournament.js'
import { NOW, recordOf, SITE, slotOf } from './some-decision.js'

const CONTENTS = ['a', 'b', 'c', 'd'].map(id => ({ id }))
const was = slotOf({ policy: { type: 'random' } }, CONTENTS)
const withPolicy = (policy: PolicySpec) => slotOf({ policy }, CONTENTS)
const ITEM_POLICIES = ['covisitation', 'knn', 'ease'] as const

/** Persons of the one kind had x and mostly a, of the other y and mostly b: and these they click. */
const KINDS = [
  { had: 'x', likes: 'a' },
  { had: 'y', likes: 'b' },
] as const

/**
 * Plays decisions at random, one a second, of persons whose records say what they had, and every third of whom has seen
 * content.
 */
function played(decisions: number, known?: (items: string[]) => RecordedFacts | undefined): ReplayedDecision[] {
  const random = seededRandom('items')
  return Array.from({ length: decisions }, (_, n) => {
    const { had, likes } = KINDS[Math.floor(2 * random())]!
    const items = n % 3 === 0 ? [had, likes] : [had]
    const record = recordOf(was, { seed: `s${n}`, visitorId: `v${n}` })
    const facts = known ? known(items) : { items }
    return {
      record: {
        ...record,
        timestamp: new Date(NOW + n * 1_000).toISOString(),
        ...(facts && { known: facts }),
      },
      rewards: [random() < (record.contentIds[0] === likes ? 0.6 : 0.1) ? 1 : 0],
    }
  })
}

function compare(policy: PolicySpec, decisions: readonly ReplayedDecision[]) {
  const comparer = createSlotComparer(SITE)
  const slot = withPolicy(policy)
  for (const decision of decisions) comparer.add(decision, was, slot)
  return comparer.finish()
}

describe('policies that rank by items, replayed', () => {
  const decisions = played(6_000)

  it.each(ITEM_POLICIES.map(type => ({ type })))('are valued by what records before say of persons: %j', policy => {
    const compared = compare(policy, decisions)
    expect(compared).toMatchObject({ decisions: 6_000, unknown: [], value: { overlap: 1, refused: null } })
    expect(compared.logged).toBeCloseTo((0.6 + 3 * 0.1) / 4, 1)
    expect(compared.value.estimates!.dr.low).toBeGreaterThan(compared.logged + 0.05)
    const after = Object.fromEntries(compared.contents.map(each => [each.contentId, each.after]))
    expect(after.a! + after.b!).toBeGreaterThan(0.75 * 6_000)
  })

  it('are part of an ensemble by its share, and none of them is a policy without items', () => {
    const best = compare({ type: 'ease' }, decisions).value.estimates!.dr.value
    const policies = [
      { share: 1, policy: { type: 'random' } as const },
      { share: 1, policy: { type: 'ease' } as const },
    ]
    const mixed = compare({ type: 'ensemble', policies }, decisions)
    expect(mixed.value.refused).toBeNull()
    expect(mixed.value.estimates!.dr.value).toBeGreaterThan(mixed.logged + 0.03)
    expect(mixed.value.estimates!.dr.value).toBeLessThan(best - 0.03)
    const popular = compare({ type: 'popular' }, decisions)
    expect(popular.unknown).toEqual([])
    expect(popular.value.estimates!.dr.high).toBeLessThan(best)
  })

  it('know nothing of what came later: decisions of before are the same, whatever followed', () => {
    const soon = decisions.slice(0, 70)
    const later = decisions.slice(70, 400).map(({ record, ...rest }) => ({
      ...rest,
      record: { ...record, known: { items: ['x', 'd'] } },
    }))
    for (const type of ITEM_POLICIES) {
      const [alone, followed] = [compare({ type }, soon), compare({ type }, [...soon, ...later])]
      const ofSoon = new Set(soon.map(({ record }) => record.decisionId))
      expect(followed.sample.filter(({ decisionId }) => ofSoon.has(decisionId))).toEqual(alone.sample)
      // The first matrix is there after 50 persons; a sample has 20 decisions.
      expect(alone.sample.length).toBeGreaterThan(5)
      expect(alone.sample.length).toBeLessThan(20)
    }
  })

  it.each(ITEM_POLICIES)('are unknown where records do not say what persons had: %s', type => {
    const whole = compare(
      { type },
      played(200, () => undefined),
    )
    expect(whole).toMatchObject({
      decisions: 0,
      unknown: [{ reason: `its record does not say what ${type} reads of the person`, decisions: 200 }],
      value: { estimates: null, refused: { code: 'unknown_chances', cure: expect.stringContaining('ensemble') } },
    })
    let n = 0
    const few = compare(
      { type },
      played(2_000, items => (n++ % 20 === 0 ? undefined : { items })),
    )
    expect(few).toMatchObject({ decisions: 1_900, value: { refused: { code: 'unknown_chances' } } })
  })

  it.each(ITEM_POLICIES)('show anything to persons who had nothing, and where nothing was had: %s', type => {
    const {
      decisions: compared,
      contents,
      value,
    } = compare(
      { type },
      played(2_000, () => ({ items: [] })),
    )
    expect(compared).toBe(2_000)
    expect(value.refused).toBeNull()
    for (const { after } of contents) expect(after).toBeGreaterThan(400)
  })

  it('take part in a tournament of the past, beside others', () => {
    const tournament = createTournament(SITE, [...ITEM_POLICIES, 'same', 'unread'])
    const slots = [...ITEM_POLICIES.map(type => withPolicy({ type })), was, withPolicy({ type: 'contextual' })]
    for (const decision of decisions) tournament.add(decision, was, slots)
    const { candidates, running } = tournament.standings()
    expect(running.value).toBeCloseTo(0.225, 1)
    const standings = new Map(candidates.map(({ name, standing }) => [name, standing]))
    expect(standings.get('ease')).toBe('better')
    expect(standings.get('same')).toBe('undecided')
    expect(standings.get('unread')).toBe('unknown')
  })
})

describe('matrices of items that follow the log', () => {
  const note = (along: ReturnType<typeof itemsAlong>, person: number, items?: string[], userId?: string) =>
    along.note({
      anonymousId: userId === undefined ? `v${person}` : '',
      ...(userId !== undefined && { userId }),
      ...(items && { known: { items } }),
    } as Parameters<typeof along.note>[0])

  it('are fitted from 50 persons on, each once by the latest list, and again with half as many more', () => {
    const along = itemsAlong(withPolicy({ type: 'knn' }))
    for (let n = 0; n < 49; n++) note(along, n, ['x', 'a'])
    for (let n = 0; n < 200; n++) note(along, 0, ['x', 'b'])
    note(along, 100)
    note(along, 101, [])
    expect(along.modelOf('knn')).toBeUndefined()
    note(along, 0, ['x', 'c'], 'user')
    const first = along.modelOf('knn')!
    expect([...first.ids.keys()].sort()).toEqual(['a', 'b', 'c', 'x'])
    expect(along.modelOf('ease')).toBeUndefined()
    for (let n = 200; n < 224; n++) note(along, n, ['x', 'a'])
    expect(along.modelOf('knn')).toBe(first)
    note(along, 224, ['x', 'a'])
    expect(along.modelOf('knn')).not.toBe(first)
  })
})
