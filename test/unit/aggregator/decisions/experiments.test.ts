import { assignmentOf, drawsOf, recompute } from '@slotstream/core'
import {
  type DecideRequest,
  type DecisionRecord,
  type Experiment,
  type KeptDecision,
  type StoredMessage,
  shareOf,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { answer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { personOfProfile } from '#core/decide/person.js'
import { withServed } from '#core/ledger/keep.js'
import { withResponse } from '#core/ledger/responses.js'
import { isServedDecisions } from '#protocol/stream/learning/check-served.js'

const NOW = Date.UTC(2026, 0, 10)
const UNKNOWN = personOfProfile('v', undefined, NOW)
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
    const person = { ...UNKNOWN, id: 'ada' }
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

describe('a site with a holdout', () => {
  const slots = { hero: {}, side: { holdout: 0.2 } }
  const made = catalog(slots)
  made.setHoldout('shop', { share: 0.3, tag: 'q1' })
  const records = recordsOf(made, ['hero', 'side'], 1_000)
  const isHeld = (all: DecisionRecord[][], place: number) => all.map(record => record[place]!.holdout)

  it('holds the same persons out of all its slots, with all their browsers, beside those of each slot', () => {
    const [hero, side] = [isHeld(records, 0), isHeld(records, 1)]
    expect(Math.abs(hero.filter(Boolean).length / 1_000 - 0.3)).toBeLessThan(0.04)
    expect(Math.abs(side.filter(Boolean).length / 1_000 - 0.44)).toBeLessThan(0.04)
    expect(side.filter((held, index) => hero[index] && !held)).toEqual([])
    for (const [first, second] of records) {
      expect(first!.armShares).toEqual([0.3, 0.7])
      expect(second!.armShares![0]).toBeCloseTo(0.44, 12)
      if (first!.holdout)
        expect(first).toMatchObject({ outcome: 'holdout', contentIds: [], ghost: [expect.any(String)] })
    }
    const held = records.find(([hero]) => hero!.holdout)![0]!.anonymousId
    const person = { ...UNKNOWN, id: held }
    for (const browser of ['one', 'two'])
      expect(
        answer(request(browser, ['hero']), { profile: undefined, person }, { catalog: made }, NOW).records[0]!.holdout,
      ).toBe(true)
  })

  it('keeps them until another tag is set, and ends at once', () => {
    const before = isHeld(records, 0)
    const again = catalog(slots)
    again.setHoldout('shop', { share: 0.4, tag: 'q1' })
    const wider = isHeld(recordsOf(again, ['hero'], 1_000), 0)
    expect(wider.filter((held, index) => before[index] && !held)).toEqual([])
    again.setHoldout('shop', { share: 0.3, tag: 'q2' })
    const other = isHeld(recordsOf(again, ['hero'], 1_000), 0)
    expect(other.filter((held, index) => before[index] && held).length / 1_000).toBeCloseTo(0.09, 1)
    again.setHoldout('shop', undefined)
    expect(isHeld(recordsOf(again, ['hero'], 200), 0)).not.toContain(true)
  })
})

describe('what the held out would have been shown', () => {
  const capped = (holdout: number) => {
    const made = createCatalog()
    made.set('shop.slot.hero', { id: 'hero', policy: { type: 'fixed', contentIds: ['a', 'b'] }, holdout })
    const rest = { slots: ['hero'], caps: [{ count: 2, per: '24h' }] }
    made.set('shop.content.a', { id: 'a', ...rest })
    made.set('shop.content.b', { id: 'b', slots: ['hero'] })
    return made
  }

  /** Asks five times, each time with what the profile was told before, and what the page viewed. */
  function play(holdout: number, isViewed: boolean) {
    let decisions: readonly KeptDecision[] = []
    return Array.from({ length: 5 }, (_, index) => {
      const now = NOW + index * 3_600_000
      const person = { ...UNKNOWN, id: 'v', decisions }
      const { records, served } = answer(
        request('v', ['hero']),
        { profile: undefined, person },
        { catalog: capped(holdout) },
        now,
      )
      const { decisionId, ghost, contentIds } = records[0]!
      decisions = withServed(decisions, JSON.parse(JSON.stringify(served)))
      const properties = { decisionId, contentId: ghost ? '' : contentIds[0]! }
      const view = { type: 'track', event: 'Slot Viewed', properties } as unknown as StoredMessage
      if (isViewed) decisions = withResponse(decisions, view, now + 1_000)
      return (ghost ?? contentIds)[0]
    })
  }

  it('counts toward caps as if it had been shown, and is released as that is', () => {
    expect(play(0, true)).toEqual(['a', 'a', 'b', 'b', 'b'])
    expect(play(1, true)).toEqual(play(0, true))
    expect(play(0, false)).toEqual(['a', 'a', 'a', 'a', 'a'])
    expect(play(1, false)).toEqual(play(0, false))
  })

  it('is told as something of which no policy learns', () => {
    const { served } = answer(request('v', ['hero']), { profile: undefined }, { catalog: capped(1) }, NOW)
    expect(served).toMatchObject([{ isOnlyCounted: true, isGhost: true, items: [{ contentId: 'a', position: 1 }] }])
    expect(isServedDecisions(JSON.parse(JSON.stringify(served)))).toBe(true)
  })
})
