import type { DeclaredFeature, EventEnvelope, Profile, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFeatures } from '#core/features/compile.js'
import type { Features } from '#core/features/feature.js'
import { featuresAfter, withFormer } from '#core/features/index-features.js'
import { featureValues } from '#core/features/state/values.js'
import { compilePatterns } from '#core/patterns/compile.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { fillProfile, type ProfileFill } from '#core/profile/features/fill-profile.js'
import { ALL_KINDS, messageAt } from '../../features/some-features.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const MINUTE = 60_000

const compiledPatterns = compilePatterns([])
if (!compiledPatterns.ok) throw new Error(compiledPatterns.reason)
const patterns = compiledPatterns.value

const always = () => () => true
const declare = (items: DeclaredFeature[], revision: number, addedIn?: Record<string, number>) =>
  compileFeatures([], items, always, revision, addedIn)

/** Some count from the start; the others, of every aggregate, are declared in revision 7. */
const OLD = ALL_KINDS.filter((_, place) => place % 20 === 0)
const NEW = ALL_KINDS.filter((_, place) => place % 5 === 1)
const FORMER = declare(OLD, 3)
const DECLARED = declare([...OLD, ...NEW], 7, Object.fromEntries(OLD.map(({ name }) => [name, 3])))

/** Messages of one browser, some sent twice, under the names of more users than are told apart. */
const envelopes: fc.Arbitrary<EventEnvelope[]> = fc.array(
  fc
    .record({
      minutes: fc.integer({ min: 0, max: 60 * 48 }),
      event: fc.constantFrom('Viewed', 'Bought', 'page', 'Product Added'),
      category: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      value: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom('x', true)),
      session: fc.constantFrom(undefined, 's1', 's2'),
      userId: fc.constantFrom(undefined, undefined, 'ann', 'ben', 'cleo', 'dan', 'eve', 'fay', 'gus'),
    })
    .map(({ minutes, event, category, value, session, userId }) => ({
      ...messageAt(
        NOON + minutes * MINUTE,
        event,
        { category, value, product_id: category },
        session ? { sessionId: session } : {},
      ),
      ...(userId && { userId }),
    }))
    .map((message: StoredMessage) => ({
      siteId: 'shop',
      visitorId: 'anna',
      receivedAt: message.timestamp,
      messages: [message],
    })),
  { minLength: 1, maxLength: 40 },
)

function count(all: readonly EventEnvelope[], features: Features, from: Profile | undefined, first: number) {
  let profile = from
  all.forEach((envelope, place) => {
    profile = applyEnvelope(profile, envelope, first + place, { features, patterns, anonymousDays: 0 })
  })
  return profile
}

/** The profile as the store gives it back. */
const stored = (profile: Profile | undefined) => profile && (JSON.parse(JSON.stringify(profile)) as Profile)

/** Fills a profile from the first messages, as an owner does it. */
function fill(profile: Profile, all: readonly EventEnvelope[], through: number, features: Features, after: number) {
  const counted = featuresAfter(features, after)
  const history: ProfileFill = { features, counted, through, from: 0, fromTime: 0 }
  const at = new Map([[through, count(all.slice(0, through), counted, undefined, 1)]])
  for (;;) {
    const filled = fillProfile(profile, at, history)
    if ('profile' in filled) return filled.profile
    for (const bound of filled.missing) at.set(bound, count(all.slice(0, bound), counted, undefined, 1))
  }
}

/** What a profile holds, whatever the order in which features came. */
const held = (profile: Profile | undefined) => JSON.parse(JSON.stringify({ ...profile, seq: 0 })) as object

describe('filling a profile with the history of features', () => {
  it('gives the same as counting everything from the start, wherever the definition and the fill come', () => {
    fc.assert(
      fc.property(envelopes, fc.nat(), fc.nat(), fc.nat(), (all, declaredAt, filledAt, mergedAt) => {
        // The features are declared, then the fill reads up to where the profile is, then it puts in what it counted.
        const declared = declaredAt % (all.length + 1)
        const through = declared + (filledAt % (all.length + 1 - declared))
        const merged = through + (mergedAt % (all.length + 1 - through))
        const before = stored(count(all.slice(0, declared), FORMER, undefined, 1))
        const live = stored(count(all.slice(declared, merged), DECLARED, before, declared + 1))
        if (!live) return
        const filled = stored(fill(live, all, through, DECLARED, 3))
        const after = count(all.slice(merged), DECLARED, filled, merged + 1)
        expect(held(after)).toEqual(held(count(all, DECLARED, undefined, 1)))
      }),
      { numRuns: 150 },
    )
  })

  it('changes nothing when it is repeated, after a crash, or by another owner', () => {
    fc.assert(
      fc.property(envelopes, fc.nat(), fc.nat(), (all, declaredAt, more) => {
        const declared = declaredAt % (all.length + 1)
        const through = declared + (more % (all.length + 1 - declared))
        const before = stored(count(all.slice(0, declared), FORMER, undefined, 1))
        const live = count(all.slice(declared), DECLARED, before, declared + 1)!
        const filled = fill(live, all, through, DECLARED, 3)
        expect(fill(filled, all, all.length, DECLARED, 3)).toBe(filled)
        expect(fill(stored(filled)!, all, through, DECLARED, 0)).toEqual(stored(filled))
      }),
    )
  })

  it('forgets a definition whose messages it missed, and counts all of them when that comes back', () => {
    fc.assert(
      fc.property(envelopes, fc.nat(), fc.nat(), fc.nat(), (all, begunAt, changedAt, backAt) => {
        const begun = begunAt % (all.length + 1)
        const changed = begun + (changedAt % (all.length + 1 - begun))
        const back = changed + (backAt % (all.length + 1 - changed))
        const [none, first, without, again] = [declare([], 2), declare(NEW, 3), declare([], 5), declare(NEW, 7)]
        const start = stored(count(all.slice(0, begun), none, undefined, 1))
        const before = stored(count(all.slice(begun, changed), first, start, begun + 1))
        const between = stored(count(all.slice(changed, back), without, before, changed + 1))
        const live = count(all.slice(back), again, between, back + 1)!
        expect(held(fill(live, all, all.length, again, 5))).toEqual(held(count(all, again, undefined, 1)))
      }),
      { numRuns: 150 },
    )
  })

  it('counts all messages of a definition that was served as the former one, dropped, and comes back', () => {
    const seen = (event: string) => ({ name: 'seen', source: { event }, aggregate: 'count' }) as const
    const [first, second] = [declare([seen('Viewed')], 3), declare([seen('Bought')], 5)]
    const again = declare([seen('Viewed')], 7)
    fc.assert(
      fc.property(envelopes, fc.nat(), fc.nat(), fc.nat(), (all, changedAt, switchedAt, backAt) => {
        const changed = changedAt % (all.length + 1)
        const switched = changed + (switchedAt % (all.length + 1 - changed))
        const back = switched + (backAt % (all.length + 1 - switched))
        const served = withFormer(second, first, 3)
        let profile = stored(count(all.slice(0, changed), first, undefined, 1))
        profile = stored(count(all.slice(changed, switched), served, profile, changed + 1))
        profile = profile && stored(fill(profile, all, switched, served, 3))
        profile = stored(count(all.slice(switched, back), second, profile, switched + 1))
        const live = count(all.slice(back), again, profile, back + 1)!
        const { version } = again.byName.get('seen')!
        const of = (counted: Profile) => [counted.features, ...Object.values(counted.featuresByUser ?? {})]
        const seenOf = (counted: Profile) => of(counted).map(states => states?.of[version])
        expect(seenOf(fill(live, all, all.length, again, 5))).toEqual(seenOf(count(all, again, undefined, 1)!))
      }),
      { numRuns: 150 },
    )
  })

  it('says of a profile that is older than the streams from where it counts', () => {
    const late = { name: 'late', source: { event: 'Viewed' }, aggregate: 'count' } as const
    const features = declare([...OLD, late], 7, Object.fromEntries(OLD.map(({ name }) => [name, 3])))
    const all = [0, 1, 2, 3].map(minute => envelopeAt(minute))
    const live = count(all.slice(3), features, count(all.slice(0, 3), FORMER, undefined, 1), 4)!
    const counted = featuresAfter(features, 3)
    // The first two messages are gone.
    const history: ProfileFill = { features, counted, through: 3, from: 2, fromTime: NOON + 2 * MINUTE }
    const { profile } = fillProfile(live, new Map([[3, count(all.slice(2, 3), counted, undefined, 3)]]), history) as {
      profile: Profile
    }
    expect(featureValues(profile.features!, features, NOON).get('late')).toMatchObject({ value: 2, since: 2 })
    // There is nothing more to be had.
    expect(fillProfile(profile, new Map([[4, undefined]]), { ...history, through: 4 })).toEqual({ profile })
    expect(profile.features!.born).toBe(3)
  })
})

function envelopeAt(minute: number): EventEnvelope {
  const message = messageAt(NOON + minute * MINUTE, 'Viewed', { value: 1, category: 'a' })
  return { siteId: 'shop', visitorId: 'anna', receivedAt: message.timestamp, messages: [message] }
}

describe('serving a feature that was declared anew', () => {
  const before = { name: 'seen', source: { event: 'Viewed' }, aggregate: 'count' } as const
  const after = { name: 'seen', source: { event: 'Bought' }, aggregate: 'count' } as const
  const added = { name: 'other', source: { event: 'Viewed' }, aggregate: 'count' } as const

  it('gives the former value until history is counted, and counts both', () => {
    const former = declare([before], 3)
    const served = withFormer(declare([after, added], 7), former, 3)
    const all = [0, 1, 2].map(minute => envelopeAt(minute))
    const live = count(all.slice(1), served, count(all.slice(0, 1), former, undefined, 1), 2)!
    const values = (features: Features, profile: Profile) => featureValues(profile.features!, features, NOON)
    expect(values(served, live).get('seen')).toEqual({
      value: 3,
      version: former.byName.get('seen')!.version,
      since: 0,
      filling: true,
    })
    expect(values(served, live).get('other')).toMatchObject({ value: 2, since: 1, filling: true })
    const filled = fill(live, all, 3, served, 3)
    const switched = declare([after, added], 7)
    expect(values(switched, filled).get('seen')).toEqual({
      value: 0,
      version: switched.byName.get('seen')!.version,
      since: 0,
    })
    expect(values(switched, filled).get('other')).toMatchObject({ value: 3, since: 0 })
    expect(values(switched, filled).get('other')).not.toHaveProperty('filling')
  })
})
