import { type Content, type Profile, type Slot, shareOf } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recompute } from '#core/decide/recompute.js'
import { addInterests } from '#core/profile/affinities.js'
import { applyMessage } from '#core/profile/apply-message.js'
import { type Asked, decideOne } from './some-question.js'

const NOW = Date.UTC(2026, 0, 10)
const WHO = { siteId: 'shop', visitorId: 'v1' }

const contents: Content[] = ['shoes', 'shoes', 'hats', 'bags'].map((category, index) => ({
  id: `${category}${index}`,
  slots: ['hero'],
  category,
  payload: { title: category },
}))

function interestedIn(interests: Record<string, number>): Profile {
  const message = {
    messageId: 'm1',
    type: 'track' as const,
    event: 'Seen',
    timestamp: new Date(NOW).toISOString(),
  }
  const { values } = addInterests({ values: {}, at: NOW }, Object.entries(interests), NOW)
  return { ...applyMessage(undefined, message, WHO), affinities: values }
}

function question(fields: Partial<Omit<Asked, 'slot'>> & { slot?: Partial<Slot> } = {}): Asked {
  const slot: Slot = {
    id: 'hero',
    policy: { type: 'affinity', exploration: 0 },
    count: 1,
    holdout: 0,
    ...fields.slot,
  }
  return { ...WHO, profile: undefined, contents, now: NOW, seed: 's1', ...fields, slot }
}

/** The choice as its record and debuggers have it. */
function decide(asked: Asked) {
  const { choice, explored } = decideOne(asked)
  return { ...choice, explored }
}

describe('the policy affinity', () => {
  it('shows the favourite category first, then the next', () => {
    const profile = interestedIn({ hats: 3, shoes: 1 })
    const { contentIds, outcome, candidates } = decide(question({ profile, count: 4 }))
    expect(outcome).toBe('served')
    expect(contentIds[0]).toBe('hats2')
    expect(contentIds.slice(1, 3).sort()).toEqual(['shoes0', 'shoes1'])
    expect(contentIds[3]).toBe('bags3')
    expect(candidates.find(({ contentId }) => contentId === 'hats2')).toEqual({
      contentId: 'hats2',
      score: 0.75,
      probability: 1,
    })
  })

  it('draws uniformly for a visitor nobody knows', () => {
    const { candidates, propensities } = decide(question())
    for (const { probability } of candidates) expect(probability).toBe(0.25)
    expect(propensities).toEqual([0.25])
  })

  it('forgets interests of years ago', () => {
    const profile = interestedIn({ hats: 5 })
    const now = NOW + 2 * 365 * 24 * 3600_000
    const { features, candidates } = decide(question({ profile, now }))
    expect(features.affinities).toEqual({})
    expect(new Set(candidates.map(({ probability }) => probability))).toEqual(new Set([0.25]))
  })
})

describe('the policy fixed', () => {
  it('shows the listed content in its order, as far as it is eligible', () => {
    const policy = { type: 'fixed' as const, contentIds: ['bags3', 'gone', 'shoes0', 'bags3', 'hats2'] }
    const ended = contents.map(content =>
      content.id === 'shoes0' ? { ...content, endsAt: '2026-01-01T00:00:00Z' } : content,
    )
    const choice = decide(question({ slot: { policy, count: 3 }, contents: ended }))
    expect(choice.contentIds).toEqual(['bags3', 'hats2'])
    expect(choice.propensities).toEqual([1, 1])
    expect(choice.excluded).toEqual([{ contentId: 'shoes0', reason: 'ended' }])
  })
})

describe('eligibility', () => {
  it('is a window from startsAt, to before endsAt', () => {
    const at = (ms: number) => new Date(NOW + ms).toISOString()
    const [a, b, c, d] = contents as [Content, Content, Content, Content]
    const timed = [
      { ...a, startsAt: at(1) },
      { ...b, startsAt: at(0) },
      { ...c, endsAt: at(0) },
      { ...d, endsAt: at(1) },
    ]
    const { candidates, excluded } = decide(question({ contents: timed }))
    expect(candidates.map(({ contentId }) => contentId)).toEqual(['bags3', 'shoes1'])
    expect(excluded).toEqual([
      { contentId: 'hats2', reason: 'ended' },
      { contentId: 'shoes0', reason: 'not_started' },
    ])
  })

  it('leaves the slot to the page when nothing is eligible', () => {
    expect(decide(question({ contents: [] }))).toMatchObject({ outcome: 'empty', contentIds: [], candidates: [] })
  })
})

describe('the holdout', () => {
  it('holds the same visitors always, and as many as it should', () => {
    let held = 0
    for (let i = 0; i < 2_000; i++) {
      const visitorId = `visitor-${i}`
      const choice = decide(question({ visitorId, slot: { holdout: 0.2 }, seed: `s${i}` }))
      expect(choice.holdout).toBe(shareOf('holdout', 'shop', visitorId) < 0.2)
      expect(choice.outcome).toBe(choice.holdout ? 'holdout' : 'served')
      if (choice.holdout) {
        held++
        expect(choice.contentIds).toEqual([])
      }
    }
    expect(held).toBeGreaterThan(320)
    expect(held).toBeLessThan(480)
  })

  it('holds others by another tag, independently, and more with a larger share', () => {
    const visitors = Array.from({ length: 2_000 }, (_, i) => `visitor-${i}`)
    const heldBy = (slot: { holdout: number; holdoutTag?: string }) =>
      new Set(visitors.filter(visitorId => decide(question({ visitorId, slot, seed: 's' })).holdout))
    const [none, spring] = [heldBy({ holdout: 0.2 }), heldBy({ holdout: 0.2, holdoutTag: 'spring' })]
    expect(heldBy({ holdout: 0.2, holdoutTag: 'spring' })).toEqual(spring)
    const both = [...spring].filter(visitorId => none.has(visitorId)).length
    expect(both).toBeGreaterThan(40)
    expect(both).toBeLessThan(130)
    const more = heldBy({ holdout: 0.4, holdoutTag: 'spring' })
    expect([...spring].every(visitorId => more.has(visitorId))).toBe(true)
    expect(more.size).toBeGreaterThan(spring.size + 200)
  })
})

describe('every choice', () => {
  const policy = fc.oneof(
    fc.constant({ type: 'random' as const }),
    fc.nat(10).map(tenths => ({ type: 'affinity' as const, exploration: tenths / 10 })),
    fc.shuffledSubarray(contents.map(({ id }) => id)).map(contentIds => ({ type: 'fixed' as const, contentIds })),
  )
  const interests = fc.dictionary(fc.constantFrom('shoes', 'hats', 'bags', 'toys'), fc.integer({ min: 1, max: 9 }))

  it('can be computed again from what is recorded of it', () => {
    fc.assert(
      fc.property(policy, interests, fc.integer({ min: 1, max: 5 }), fc.uuid(), (policy, wanted, count, seed) => {
        const asked = question({ slot: { policy }, profile: interestedIn(wanted), count, seed })
        const choice = decide(asked)
        expect(decide(asked)).toEqual(choice)
        const recorded = JSON.parse(JSON.stringify(choice)) as typeof choice
        const { outcome, contentIds, propensities, explored } = choice
        expect(recompute(recorded)).toEqual(outcome === 'served' ? { contentIds, propensities, explored } : undefined)
      }),
      { seed: 4 },
    )
  })

  it('gives its first item the probability that is recorded for the candidate', () => {
    fc.assert(
      fc.property(policy, interests, fc.uuid(), (policy, wanted, seed) => {
        const choice = decide(question({ slot: { policy }, profile: interestedIn(wanted), seed }))
        const { contentIds, propensities, candidates } = choice
        const first = candidates.find(({ contentId }) => contentId === contentIds[0])
        expect(first?.probability).toBe(propensities[0])
      }),
      { seed: 5 },
    )
  })
})

describe('the age of features', () => {
  const aged = (ageMs: number, slot: Partial<Slot> = {}) => decide(question({ ageMs, slot }))

  it('is recorded with what the policy asks for, and with nothing where it asks for nothing', () => {
    expect(aged(120).features.ages).toEqual({ affinities: 120 })
    expect(aged(0).features.ages).toEqual({ affinities: 0 })
    expect(aged(120, { policy: { type: 'random' } }).features).not.toHaveProperty('ages')
  })

  it.each([
    [5_000, 'served', 1],
    [5_001, 'stale', 0],
  ])('of %i ms at a slot that takes 5s is %s', (ageMs, outcome, items) => {
    const choice = aged(ageMs, { maxAge: '5s' })
    expect([choice.outcome, choice.contentIds.length]).toEqual([outcome, items])
    expect(choice.features.ages).toEqual({ affinities: ageMs })
    expect(recompute(choice)?.contentIds).toEqual(outcome === 'served' ? choice.contentIds : undefined)
  })

  it('matters neither to a policy that asks for none, nor to the holdout, nor without a greatest age', () => {
    expect(aged(9e9, { maxAge: '5s', policy: { type: 'random' } }).outcome).toBe('served')
    expect(aged(9e9, { maxAge: '5s', holdout: 1 }).outcome).toBe('holdout')
    expect(aged(9e9).outcome).toBe('served')
  })
})
