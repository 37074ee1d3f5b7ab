import type { Profile, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { aboutPerson } from '#core/identity/about-person.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { MAX_TRAITS } from '#core/profile/traits/trait-set.js'

const NOON = Date.UTC(2026, 0, 1, 12)

/** Few names, so that messages disagree, or more than a profile keeps. */
const NAMES = [['plan', 'city', 'tier'], Array.from({ length: 1.5 * MAX_TRAITS }, (_, n) => `trait-${n}`)]

const identifies = fc.constantFrom(...NAMES).chain(names =>
  fc.uniqueArray(
    fc.record({
      minutes: fc.integer({ min: 0, max: 300 }),
      anonymousId: fc.constantFrom('phone', 'laptop'),
      userId: fc.constantFrom(undefined, 'ann', 'ann', 'ben', 'null'),
      traits: fc.dictionary(fc.constantFrom(...names), fc.constantFrom(null, 'a', 'b', 3), {
        maxKeys: names.length > 3 ? 40 : 3,
      }),
    }),
    { selector: ({ minutes }) => minutes, maxLength: 12 },
  ),
)

const shuffled = identifies.chain(all =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
)

type Said = typeof identifies extends fc.Arbitrary<infer All> ? All : never

/** The profiles of the browsers after messages, some of which come in one envelope. */
function profilesOf(said: Said, perEnvelope = 1): Profile[] {
  const profiles = new Map<string, Profile>()
  for (const browser of ['phone', 'laptop']) {
    const own = said.filter(({ anonymousId }) => anonymousId === browser)
    for (let first = 0; first < own.length; first += perEnvelope) {
      const messages = own.slice(first, first + perEnvelope).map(
        ({ minutes, ...message }): StoredMessage => ({
          ...{ messageId: `m${minutes}`, type: 'identify', timestamp: new Date(NOON + minutes * 60_000).toISOString() },
          ...(message as Pick<StoredMessage, 'anonymousId' | 'userId' | 'traits'>),
        }),
      )
      const envelope = { siteId: 'shop', visitorId: browser, receivedAt: new Date(NOON).toISOString(), messages }
      profiles.set(browser, applyEnvelope(profiles.get(browser), envelope, first + 1)!)
    }
  }
  return [...profiles.values()]
}

const traitsOf = (profiles: Profile[]) =>
  profiles.map(({ traits, traitTimes, traitsByUser, traitTimesByUser, userId }) => ({
    ...{ traits, traitTimes, traitsByUser, traitTimesByUser, userId },
  }))

it('are the same in whatever order the messages come, and however they are cut into envelopes', () => {
  fc.assert(
    fc.property(shuffled, fc.integer({ min: 1, max: 4 }), ([all, other], perEnvelope) => {
      const inOrder = profilesOf(all)
      const others = profilesOf(other, perEnvelope)
      expect(JSON.stringify(traitsOf(others))).toBe(JSON.stringify(traitsOf(inOrder)))
      for (const userId of ['', 'ann', 'ben'])
        if (inOrder.length > 0) expect(aboutPerson(userId, others).traits).toEqual(aboutPerson(userId, inOrder).traits)
    }),
  )
})

it('of a person are each as it was set last, on whichever browser', () => {
  fc.assert(
    fc.property(shuffled, ([, said]) => {
      const ofAnn = said.filter(({ userId }) => userId === 'ann')
      if (ofAnn.length === 0) return
      const expected = new Map<string, unknown>()
      const names = new Set(ofAnn.flatMap(({ traits }) => Object.keys(traits)))
      for (const name of names) {
        const latest = ofAnn.filter(({ traits }) => name in traits).sort((a, b) => b.minutes - a.minutes)[0]!
        if (latest.traits[name] !== null) expected.set(name, latest.traits[name])
      }
      const { traits } = aboutPerson('ann', profilesOf(ofAnn))
      if (names.size <= MAX_TRAITS) expect(traits).toEqual(Object.fromEntries(expected))
      else expect(Object.keys(traits).length).toBeLessThanOrEqual(MAX_TRAITS)
    }),
  )
})
