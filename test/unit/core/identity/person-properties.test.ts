import { type EventEnvelope, type Profile, type StoredMessage, visitorIdOf } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { featureValues } from '#core/features/state/values.js'
import { aboutPerson } from '#core/identity/about-person.js'
import { settleBrowsers } from '#core/identity/links.js'
import { foldPerson, statesOfUser, userOfBrowser } from '#core/identity/person.js'
import { applyAndDetect } from '#core/profile/apply.js'
import { messageAt } from '../features/some-features.js'

const NOON = Date.UTC(2026, 10, 1, 12)

/** All partitions of one site: what a browser's partition tells a user's is applied at once. */
function createSite() {
  const profiles = new Map<string, Profile>()
  let seq = 0
  function apply(visitorId: string, messages: StoredMessage[], identity?: EventEnvelope['identity']): void {
    seq++
    const envelope: EventEnvelope = {
      siteId: 'shop',
      visitorId,
      receivedAt: new Date(NOON).toISOString(),
      messages,
      ...(identity && { identity }),
    }
    const applied = applyAndDetect(profiles.get(visitorId), envelope, seq, text => text)
    if (applied.profile) profiles.set(visitorId, JSON.parse(JSON.stringify(applied.profile)))
    for (const change of applied.identity ?? [])
      for (const side of [`user:${change.userId}`, change.anonymousId])
        if (side !== visitorId) apply(side, [], [change])
  }
  return {
    profiles,
    send: (message: StoredMessage) => apply(visitorIdOf(message), [message]),
    tell: (visitorId: string, identity: EventEnvelope['identity']) => apply(visitorId, [], identity),
  }
}

type Site = ReturnType<typeof createSite>

/** The parts of a person, as the owners of the partitions would answer them. */
function partsOf({ profiles }: Site, userId: string) {
  const own = profiles.get(`user:${userId}`)
  const browsers = [...settleBrowsers(userId, own?.links ?? {})].filter(([, { state }]) => state === 'joined')
  return [own, ...browsers.map(([anonymousId]) => profiles.get(anonymousId))].flatMap(profile =>
    profile ? [statesOfUser(profile, userId, DEFAULT_FEATURES)] : [],
  )
}

const person = (site: Site, userId: string) => foldPerson(partsOf(site, userId), DEFAULT_FEATURES)

const messages = fc.uniqueArray(
  fc
    .record({
      minutes: fc.integer({ min: -5_000, max: 5_000 }),
      event: fc.constantFrom('Product Viewed', 'Product Added', 'Order Completed', 'page'),
      anonymousId: fc.constantFrom(undefined, 'phone', 'laptop', 'tablet'),
      userId: fc.constantFrom(undefined, 'ann', 'ben'),
      previousId: fc.constantFrom(undefined, undefined, 'phone', 'laptop'),
      category: fc.constantFrom('camp', 'home'),
    })
    .filter(({ anonymousId, userId }) => anonymousId !== undefined || userId !== undefined)
    .map(({ minutes, event, anonymousId, userId, previousId, category }) => {
      const { anonymousId: _anna, ...message } = messageAt(NOON + minutes * 60_000, event, {
        category,
        product_id: category,
      })
      const alias = userId && previousId && { type: 'alias', event: undefined, previousId }
      const ids = { ...(anonymousId && { anonymousId }), ...(userId && { userId }), ...alias }
      const messageId = `${message.messageId}-${anonymousId}-${userId}-${previousId}`
      return { ...message, ...ids, messageId } as StoredMessage
    }),
  { selector: ({ messageId }) => messageId, maxLength: 30 },
)

/** An alias may join others than those who are taken apart. */
const withoutAliases = messages.map(all => all.filter(({ type }) => type !== 'alias'))

const shuffled = messages.chain(all =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
)

function siteOf(all: readonly StoredMessage[]): Site {
  const site = createSite()
  for (const message of all) site.send(message)
  return site
}

it('makes the same persons whatever the order of the messages', () => {
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      const [a, b] = [siteOf(all), siteOf(other)]
      for (const userId of ['ann', 'ben']) expect(person(b, userId)).toEqual(person(a, userId))
    }),
  )
})

it('counts each message for one person or browser', () => {
  fc.assert(
    fc.property(messages, all => {
      const site = siteOf(all)
      const everybody = [
        ...['ann', 'ben'].map(userId => person(site, userId)),
        ...['phone', 'laptop', 'tablet'].flatMap(id => {
          const browser = site.profiles.get(id)
          return browser ? [statesOfUser(browser, '', DEFAULT_FEATURES)] : []
        }),
      ]
      const views = everybody.map(states => featureValues(states, DEFAULT_FEATURES, NOON, ['page_views']))
      const sum = views.reduce((total, values) => total + (values.get('page_views')!.value as number), 0)
      expect(sum).toBe(all.filter(({ type }) => type === 'page').length)
    }),
  )
})

it('gives both sides what they would be had they never joined, when a join is undone', () => {
  fc.assert(
    fc.property(withoutAliases, all => {
      const site = siteOf(all)
      const change = {
        anonymousId: 'phone',
        userId: 'ann',
        decision: { state: 'undone', at: NOON, cause: 'a shared phone' },
      } as const
      site.tell('user:ann', [change])
      site.tell('phone', [change])
      // What ann did on the phone is the phone's; everything else is as if the phone had never named her.
      const others = siteOf(all.filter(({ anonymousId, userId }) => !(anonymousId === 'phone' && userId === 'ann')))
      const apart = siteOf(all.filter(({ anonymousId }) => anonymousId !== 'phone'))
      expect(person(site, 'ann')).toEqual(person(apart, 'ann'))
      expect(person(site, 'ben')).toEqual(person(others, 'ben'))
      const phone = site.profiles.get('phone')!
      expect(userOfBrowser(phone)).not.toBe('ann')
      const unnamed = all
        .filter(({ anonymousId }) => anonymousId === 'phone')
        .map(({ userId, ...message }) => (userId === 'ben' ? { ...message, userId } : message) as StoredMessage)
      const isBens = unnamed.some(({ userId }) => userId === 'ben')
      const ofBrowser = isBens ? all.filter(({ userId }) => userId === 'ann').map(withoutUser) : unnamed
      const alone = siteOf(ofBrowser.filter(({ anonymousId }) => anonymousId === 'phone')).profiles.get('phone')
      expect(statesOfUser(phone, '', DEFAULT_FEATURES)).toEqual(
        alone ? statesOfUser(alone, '', DEFAULT_FEATURES) : foldPerson([], DEFAULT_FEATURES),
      )
    }),
  )
})

const withoutUser = ({ userId: _ann, ...message }: StoredMessage) => message as StoredMessage

it('is byte for byte what it was before when a join that was undone is allowed again', () => {
  fc.assert(
    fc.property(messages, all => {
      const site = siteOf(all)
      const texts = () => ['ann', 'ben'].map(userId => JSON.stringify(person(site, userId)))
      const before = texts()
      for (const [at, state] of [
        [NOON, 'undone'],
        [NOON + 1, 'joined'],
      ] as const) {
        const change = { anonymousId: 'phone', userId: 'ann', decision: { state, at, cause: 'a test' } }
        for (const visitorId of ['user:ann', 'phone'])
          if (site.profiles.get(visitorId)?.links) site.tell(visitorId, [change])
      }
      const areNamed = all.some(
        ({ anonymousId, previousId, userId }) => userId === 'ann' && [anonymousId, previousId].includes('phone'),
      )
      if (areNamed) expect(texts()).toEqual(before)
    }),
  )
})

describe('an alias', () => {
  const viewed = (minutes: number, ids: Partial<StoredMessage>): StoredMessage => {
    const { anonymousId: _anna, ...message } = messageAt(NOON + minutes * 60_000, 'page')
    return { ...message, ...ids }
  }
  const aliased = (minutes: number, ids: Partial<StoredMessage>): StoredMessage => ({
    ...viewed(minutes, ids),
    messageId: `alias-${minutes}`,
    type: 'alias',
  })
  const pagesOf = (site: Site, userId: string) =>
    featureValues(person(site, userId), DEFAULT_FEATURES, NOON, ['page_views']).get('page_views')!.value

  it.each([
    ['from a server', { userId: 'newu', previousId: 'p1' }],
    ['from another browser', { anonymousId: 'laptop', userId: 'newu', previousId: 'p1' }],
    ['from the browser itself', { anonymousId: 'p1', userId: 'newu', previousId: 'p1' }],
  ])('%s joins the browser that it names, whichever came first', (_from, ids) => {
    const all = [viewed(0, { anonymousId: 'p1' }), aliased(1, ids)]
    for (const site of [siteOf(all), siteOf([...all].reverse())]) {
      expect(pagesOf(site, 'newu')).toBe(1)
      expect(userOfBrowser(site.profiles.get('p1')!)).toBe('newu')
      expect(Object.keys(site.profiles.get('user:newu')!.links!)).toContain('p1')
      const decision = { state: 'undone', at: NOON, cause: 'a test' } as const
      for (const side of ['user:newu', 'p1']) site.tell(side, [{ anonymousId: 'p1', userId: 'newu', decision }])
      expect(pagesOf(site, 'newu')).toBe(0)
      expect(userOfBrowser(site.profiles.get('p1')!)).toBe('')
    }
  })

  it('of a former user leaves that user’s own data theirs', () => {
    const site = siteOf([viewed(0, { userId: 'old' }), aliased(1, { userId: 'newu', previousId: 'old' })])
    expect(['old', 'newu'].map(userId => pagesOf(site, userId))).toEqual([1, 0])
  })

  it('that lacks a signature which its site demands joins nothing', () => {
    const alias = aliased(1, { anonymousId: 'eve', userId: 'newu', previousId: 'p1' })
    const envelope: EventEnvelope = {
      siteId: 'shop',
      visitorId: 'eve',
      receivedAt: alias.timestamp,
      sender: 'unsigned',
      messages: [alias],
    }
    expect(applyAndDetect(undefined, envelope, 1, text => text).identity).toBeUndefined()
  })
})

it('has no traits of an identify without the signature that its site demands', () => {
  const identify = (userId: string, sender: EventEnvelope['sender'], traits: StoredMessage['traits']) => {
    const { event: _, ...message } = messageAt(NOON, 'page')
    const named = {
      ...message,
      type: 'identify',
      messageId: userId,
      userId,
      ...(traits && { traits }),
    } as StoredMessage
    const envelope = { siteId: 'shop', visitorId: 'anna', receivedAt: message.timestamp, messages: [named] }
    return { ...envelope, ...(sender && { sender }) } as EventEnvelope
  }
  const all = [
    identify('ann', 'public', { plan: 'free' }),
    identify('ben', 'unsigned', { plan: 'pro', email: 'ben@shop.example' }),
  ]
  for (const order of [all, [...all].reverse()]) {
    let profile: Profile | undefined
    for (const [index, envelope] of order.entries())
      profile = applyAndDetect(profile, envelope, index + 1, text => text).profile
    expect(aboutPerson('ann', [profile!]).traits).toEqual({ plan: 'free' })
  }
})
