import { assignmentOf, drawsOf, recompute } from '@slotstream/core'
import { type DecideRequest, type DecisionRecord, type Experiment, shareOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { answer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'

const NOW = Date.UTC(2026, 0, 10)
const CONTENTS = ['a', 'b', 'c', 'd', 'e']

function request(visitorId: string, slots: string[]): DecideRequest {
  const asked = slots.map(id => ({ id }))
  return { siteId: 'shop', visitorId, anonymousId: visitorId, slots: asked, after: 0, deadlineMs: 100, explain: false }
}

function catalog(slots: Record<string, object>, experiments: Experiment[] = []) {
  const made = createCatalog()
  for (const [id, slot] of Object.entries(slots))
    made.set(`shop.slot.${id}`, { id, policy: { type: 'random' }, ...slot })
  for (const id of CONTENTS) made.set(`shop.content.${id}`, { id, slots: Object.keys(slots) })
  made.setExperiments('shop', experiments)
  return made
}

const EXPERIMENT: Experiment = {
  id: 'first',
  slot: 'hero',
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'ab', share: 0.3, contentIds: ['a', 'b'] },
    { id: 'fixed', share: 0.2, policy: { type: 'fixed', contentIds: ['e'] } },
  ],
  metrics: ['Slot Clicked'],
}

function recordsOf(made: ReturnType<typeof catalog>, slots: string[], visitors = 600): DecisionRecord[][] {
  return Array.from({ length: visitors }, (_, index) => {
    const { records } = answer(request(`visitor-${index}`, slots), { profile: undefined }, { catalog: made }, NOW)
    return records
  })
}

describe('a slot with an experiment', () => {
  const records = recordsOf(catalog({ hero: {} }, [EXPERIMENT]), ['hero']).flat()

  it('chooses as the arm of the person does, and records experiment, arm and shares', () => {
    const shown: Record<string, Set<string>> = {}
    for (const { arm = '', contentIds, experiment, armShares, personId, anonymousId } of records) {
      expect({ experiment, armShares }).toEqual({ experiment: 'first', armShares: [0.5, 0.3, 0.2] })
      expect(personId).toBe(anonymousId)
      expect(arm).toBe(assignmentOf('shop', personId!, 'hero', [EXPERIMENT])!.arm)
      shown[arm] = (shown[arm] ?? new Set()).add(contentIds[0]!)
    }
    expect(shown).toEqual({ control: new Set(CONTENTS), ab: new Set(['a', 'b']), fixed: new Set(['e']) })
  })

  it('has a policy version for each way to choose, by which draws are audited', () => {
    const versions = new Map(records.map(({ arm, policyVersion }) => [arm, policyVersion]))
    expect(new Set(versions.values()).size).toBe(3)
    expect(recordsOf(catalog({ hero: {} }), ['hero'], 1).flat()[0]!.policyVersion).toBe(versions.get('control'))
    for (const record of records) {
      const [draw] = drawsOf(record)
      const places = record.arm === 'ab' ? ['a', 'b'] : CONTENTS
      expect(places[draw!.places[draw!.drawn]!]).toBe(record.contentIds[0])
      expect(draw!.units[draw!.drawn]! / draw!.scale).toBe(record.propensities[0])
    }
  })

  it('is followed by a person with all browsers, and ends at once', () => {
    const made = catalog({ hero: {} }, [EXPERIMENT])
    const person = { id: 'ada', decisions: [], stopped: [], members: [], signals: [], traits: {} } as never
    const arms = ['one', 'two', 'three'].map(
      browser => answer(request(browser, ['hero']), { profile: undefined, person }, { catalog: made }, NOW).records[0]!,
    )
    expect(new Set(arms.map(({ arm }) => arm)).size).toBe(1)
    expect(arms.map(({ personId }) => personId)).toEqual(['ada', 'ada', 'ada'])
    made.setExperiments('shop', [])
    expect(recordsOf(made, ['hero'], 1).flat()[0]).not.toHaveProperty('experiment')
  })
})

describe('a slot whose experiment ended', () => {
  const ended = (arm?: string) => [
    { ...EXPERIMENT, stopped: { at: '2026-01-01T00:00:00Z', reason: 'worse' as const, ...(arm && { arm }) } },
  ]

  it('chooses for everybody as the control does, or as the arm that was promoted, and records no arm', () => {
    const made = catalog({ hero: {} }, [EXPERIMENT])
    const running = recordsOf(made, ['hero'], 200).flat()
    made.setExperiments('shop', ended())
    for (const [index, record] of recordsOf(made, ['hero'], 200).flat().entries()) {
      expect(record).not.toHaveProperty('experiment')
      expect(record).not.toHaveProperty('armShares')
      if (running[index]!.arm === 'control') expect(record.policyVersion).toBe(running[index]!.policyVersion)
    }
    made.setExperiments('shop', ended('fixed'))
    for (const record of recordsOf(made, ['hero'], 50).flat()) expect(record.contentIds).toEqual(['e'])
  })

  it('moves nobody of its group into another experiment', () => {
    const [group, side] = ['home', { ...EXPERIMENT, id: 'second', slot: 'side' }]
    const of = (first: Experiment) =>
      catalog(
        { hero: {}, side: {} },
        [first, side].map(each => ({ ...each, group })),
      )
    const inSide = (records: DecisionRecord[][]) => records.map(([record]) => record!.experiment)
    const before = inSide(recordsOf(of(EXPERIMENT), ['side'], 300))
    expect(new Set(before)).toEqual(new Set(['second', undefined]))
    expect(inSide(recordsOf(of(ended('ab')[0]!), ['side'], 300))).toEqual(before)
  })
})

describe('visitors who are held out', () => {
  const records = recordsOf(catalog({ hero: { holdout: 0.5, count: 2 }, side: { holdout: 0.5 } }), ['hero', 'side'])
  const held = records.filter(([hero]) => hero!.holdout)

  it('see nothing, and the record says what they would have been shown, by the same draw', () => {
    expect(held.length).toBeGreaterThan(240)
    const ghosts = new Set<string>()
    for (const record of held.flat()) {
      expect(record).toMatchObject({ outcome: 'holdout', contentIds: [], propensities: [] })
      expect(record.ghost).toHaveLength(record.slotId === 'hero' ? 2 : 1)
      expect(recompute(record)!.contentIds).toEqual(record.ghost)
      for (const id of record.ghost!) ghosts.add(id)
    }
    expect([...ghosts].sort()).toEqual(CONTENTS)
    for (const record of records.flat()) {
      expect('ghost' in record).toBe(record.holdout)
      expect(record.armShares).toEqual([0.5, 0.5])
      expect(record.holdout).toBe(shareOf('holdout', 'shop', record.anonymousId) < 0.5)
    }
  })

  it('would not have been shown the same in two slots of a page either', () => {
    for (const [hero, side] of held) expect(hero!.ghost).not.toContain(side!.ghost![0])
  })

  it('draw the ghost that those with the same seed are shown', () => {
    const made = { held: catalog({ hero: { holdout: 1 } }), shown: catalog({ hero: { holdout: 0 } }) }
    for (let i = 0; i < 50; i++) {
      const [ghost, shown] = [made.held, made.shown].map(
        each =>
          answer(request('v', ['hero']), { profile: undefined }, { catalog: each }, NOW, () => `seed-${i}`).records[0]!,
      )
      expect(ghost!.ghost).toEqual(shown!.contentIds)
    }
  })
})
