import type { PolicySpec } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createSlotComparer } from '#core/replay/compare-slots.js'
import { decideOtherwise } from '#core/replay/decide-otherwise.js'
import { recordOf, SITE, slotOf } from './some-decision.js'

const CONTENTS = [{ id: 'a' }, { id: 'b' }, { id: 'c', where: { 'context.country': 'DE' } }]
const was = slotOf({ policy: { type: 'random' }, count: 2 }, CONTENTS)

describe('another slot', () => {
  it('shows the same where it is the same', () => {
    const record = recordOf(was, { seed: 'x' })
    const again = decideOtherwise(SITE, record, was, was)
    expect(again).toMatchObject({ outcome: 'served', contentIds: record.contentIds, unknown: [] })
    expect(again.chancesAt(0, [])).toEqual([
      { contentId: 'a', chance: expect.closeTo(0.5, 8) },
      { contentId: 'b', chance: expect.closeTo(0.5, 8) },
    ])
    expect(again.chancesAt(1, ['b'])).toEqual([{ contentId: 'a', chance: 1 }])
    expect(again.chancesAt(2, ['a', 'b'])).toEqual([])
  })

  it('has content that there was not, and its campaigns pin what they want', () => {
    const slot = slotOf(
      { policy: { type: 'random' }, count: 2, campaigns: [{ id: 'new', mode: 'pin', contentIds: ['z'] }] } as never,
      [...CONTENTS, { id: 'z' }],
    )
    const { contentIds, chancesAt } = decideOtherwise(SITE, recordOf(was), was, slot)
    expect(contentIds[0]).toBe('z')
    expect(chancesAt(0, [])).toEqual([{ contentId: 'z', chance: 1 }])
    expect(chancesAt(1, ['a'])).toEqual([{ contentId: 'b', chance: 1 }])
  })

  it('keeps to conditions as they held, and says which it does not know', () => {
    const german = recordOf(was, { context: { country: 'DE' } })
    const only = slotOf({ policy: { type: 'random' } }, [CONTENTS[2]!])
    expect(decideOtherwise(SITE, german, was, only)).toMatchObject({ contentIds: ['c'], unknown: [] })
    expect(decideOtherwise(SITE, recordOf(was), was, only)).toMatchObject({ outcome: 'empty', unknown: [] })
    const other = slotOf({ policy: { type: 'random' } }, [{ id: 'a', where: { 'traits.plan': 'pro' } }, { id: 'b' }])
    expect(decideOtherwise(SITE, german, was, other).unknown).toEqual(['a'])
    const capped = slotOf({ policy: { type: 'random' } }, [{ id: 'a', caps: [{ count: 1, per: '24h' }] }])
    expect(decideOtherwise(SITE, german, was, capped).unknown).toEqual(['a'])
  })
})

describe('a visitor who is held out', () => {
  const policy: PolicySpec = { type: 'fixed', contentIds: ['b'] }
  const own = slotOf({ policy: { type: 'random' }, holdout: 1 }, CONTENTS)

  it('stays so with any slot, if the site holds them out', () => {
    const record = recordOf(was, { heldOut: true })
    for (const other of [was, slotOf({ policy }, CONTENTS), slotOf({ policy, holdout: 1 }, CONTENTS)])
      expect(decideOtherwise(SITE, record, was, other)).toMatchObject({ outcome: 'holdout', contentIds: [] })
  })

  it('stays so if both hold them out', () => {
    const record = recordOf(own, { isHeldOutOfSite: true })
    expect(decideOtherwise(SITE, record, own, slotOf({ policy }, CONTENTS)).outcome).toBe('holdout')
    expect(decideOtherwise(SITE, record, own, slotOf({ policy, holdout: 1 }, CONTENTS)).outcome).toBe('holdout')
  })

  it('is so by the holdout of the other slot, if the slot held them out', () => {
    const record = recordOf(own)
    expect(record.outcome).toBe('holdout')
    expect(decideOtherwise(SITE, record, own, slotOf({ policy, holdout: 1 }, CONTENTS)).outcome).toBe('holdout')
    const open = decideOtherwise(SITE, record, own, slotOf({ policy }, CONTENTS))
    expect(open).toMatchObject({ outcome: 'served', contentIds: ['b'] })
    expect(decideOtherwise(SITE, recordOf(was), was, own).outcome).toBe('holdout')
  })
})

describe('a comparison', () => {
  it('counts who would have seen what', () => {
    const comparer = createSlotComparer(SITE)
    const slot = slotOf({ policy: { type: 'fixed', contentIds: ['a', 'b'] }, count: 2 }, CONTENTS)
    const records = Array.from({ length: 200 }, (_, n) => recordOf(was, { seed: `s${n}`, visitorId: `v${n}` }))
    for (const record of records) comparer.add({ record, rewards: [1, 0] }, was, slot)
    const { decisions, changed, contents, sample, unknown, logged, value } = comparer.finish()
    const first = records.filter(({ contentIds }) => contentIds[0] === 'b')
    expect({ decisions, changed, unknown, logged }).toEqual({
      decisions: 200,
      changed: first.length,
      unknown: [],
      logged: 0.5,
    })
    expect(contents).toEqual([
      { contentId: 'a', before: 200, after: 200 },
      { contentId: 'b', before: 200, after: 200 },
    ])
    expect(sample[0]).toEqual({ decisionId: first[0]!.seed, before: ['b', 'a'], after: ['a', 'b'] })
    expect(value).toMatchObject({ overlap: 1, refused: { code: 'low_sample' } })
  })

  it('refuses to value what a record does not say', () => {
    const comparer = createSlotComparer(SITE)
    const slot = slotOf({ policy: { type: 'contextual' } }, CONTENTS)
    comparer.add({ record: recordOf(was), rewards: [0, 0] }, was, slot)
    const { decisions, unknown, value } = comparer.finish()
    expect(decisions).toBe(0)
    expect(unknown).toEqual([{ reason: 'its record does not say what contextual reads of the person', decisions: 1 }])
    expect(value.refused).toMatchObject({ code: 'unknown_chances', reason: expect.stringContaining('1 of 1') })
  })

  it('lets a policy that learns know only what came before', () => {
    const comparer = createSlotComparer(SITE)
    const one = slotOf({ policy: { type: 'random' } }, [{ id: 'a' }, { id: 'b' }])
    const slot = slotOf({ policy: { type: 'popular' } }, [{ id: 'a' }, { id: 'b' }])
    for (let n = 0; n < 400; n++) {
      const record = {
        ...recordOf(one, { seed: `s${n}` }),
        timestamp: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
      }
      comparer.add({ record, rewards: [record.contentIds[0] === 'b' ? 1 : 0] }, one, slot)
    }
    const after = Object.fromEntries(comparer.finish().contents.map(each => [each.contentId, each.after]))
    expect(after.b).toBeGreaterThan(300)
    expect(after.a).toBeGreaterThan(15)
  })
})
