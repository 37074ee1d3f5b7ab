import type { EventEnvelope, Links, Profile, StoredMessage } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { featureValues } from '#core/features/state/values.js'
import { joinedBrowsers, joinedUsers, settleBrowser, settleUser, settleUsers, withLink } from '#core/identity/links.js'
import { statesOfUser } from '#core/identity/person.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { messageAt } from '../features/some-features.js'

const DAY = 24 * 3_600_000
const START = Date.UTC(2022, 0, 1)

/** Links of others that were named on these days. */
function linksOf(days: Record<string, number[]>): Links {
  let links: Links = {}
  for (const [other, named] of Object.entries(days)) {
    const times = named.map(day => START + day * DAY)
    links = withLink(links, other, { firstAt: Math.min(...times), lastAt: Math.max(...times), cause: 'identify' })
  }
  return links
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)
const each = (count: number, daysOf: (index: number) => number[]) =>
  linksOf(Object.fromEntries(range(0, count).map(index => [`n${index}`, daysOf(index)])))

describe('the window of guards', () => {
  it('joins a person’s browsers of five years, and all users of a browser that came one after the other', () => {
    expect(
      joinedBrowsers(
        'ann',
        each(99, index => [index * 18]),
      ),
    ).toHaveLength(99)
    expect(joinedUsers(each(30, index => [index * 60, index * 60 + 20]))).toHaveLength(30)
  })

  it('holds back users of a kiosk, be they new or regular ones', () => {
    const kiosk = each(12, index => [index])
    expect(joinedUsers(kiosk)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4'])
    expect(settleUser(kiosk, 'n7')).toEqual({ state: 'held', cause: 'users_per_browser' })
    // One new user a month, all of whom come every week.
    expect(joinedUsers(each(12, index => range(0, 60).map(week => index * 31 + week * 7)))).toHaveLength(5)
    // However long it stands, and however many were held back.
    expect(joinedUsers(each(90, index => [index * 4]))).toHaveLength(5)
  })

  it('holds back browsers of a test account', () => {
    const account = each(60, index => [index / 3])
    expect(joinedBrowsers('tester', account)).toHaveLength(50)
    expect(settleBrowser('tester', account, 'n55')).toEqual({ state: 'held', cause: 'browsers_per_user' })
  })

  it('ends on the day on which the last of the others too many was named 30 days ago', () => {
    const sixth = (day: number) => joinedUsers(each(6, index => (index < 5 ? [0] : [day]))).includes('n5')
    expect([29.9, 30, 30.1].map(sixth)).toEqual([false, true, true])
  })

  it('is all time where so many were named that not all are kept', () => {
    const links = each(3_000, index => [index])
    expect(Object.keys(links)).toHaveLength(100)
    expect(joinedUsers(links)).toHaveLength(5)
    const left = range(0, 3_000).find(index => !Object.hasOwn(links, `n${index}`))!
    expect(settleUser(links, `n${left}`)).toEqual({ state: 'held', cause: 'users_per_browser' })
    expect(settleBrowser('ann', links, `n${left}`)).toEqual({ state: 'held', cause: 'browsers_per_user' })
  })

  it('does not count who was taken apart, or let through', () => {
    let links = each(6, () => [1])
    expect(joinedUsers(links)).not.toContain('n5')
    links = withLink(links, 'n2', { decision: { state: 'undone', at: 1, cause: 'a test' } })
    expect(joinedUsers(links)).toEqual(['n0', 'n1', 'n3', 'n4', 'n5'])
    links = withLink(links, 'n2', { decision: { state: 'joined', at: 2, cause: 'a family' } })
    expect(joinedUsers(links)).toHaveLength(6)
  })

  it('never joins more within it than it allows, and joins the same in any order', () => {
    const named = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 120 })), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(named, fc.nat(), (all, by) => {
        const note = (links: Links, [user, day]: [number, number]) =>
          withLink(links, `u${user}`, { firstAt: day * DAY, lastAt: day * DAY, cause: 'identify' })
        const links = all.reduce(note, {})
        const turned = [...all.slice(by % (all.length + 1)), ...all.slice(0, by % (all.length + 1))].reverse()
        expect(settleUsers(turned.reduce(note, {}))).toEqual(settleUsers(links))
        for (const day of range(0, 121)) {
          const within = ([user, at]: [number, number]) =>
            at > day - 30 && at <= day && settleUser(links, `u${user}`)?.state === 'joined'
          expect(new Set(all.filter(within).map(([user]) => user)).size).toBeLessThanOrEqual(5)
        }
      }),
    )
  })
})

/** A browser on which users viewed a page each, in this order, a minute apart. */
function browserOf(users: readonly (string | undefined)[]): Profile {
  return profileOfViews(users.map((userId, index) => ({ userId, at: START + index * 60_000 })))
}

/** A browser that sent these views of pages. */
function profileOfViews(views: readonly { userId: string | undefined; at: number }[]): Profile {
  return views.reduce<Profile | undefined>((profile, { userId, at }, index) => {
    const message = { ...messageAt(at, 'page'), anonymousId: 'kiosk' } as StoredMessage
    const envelope: EventEnvelope = {
      siteId: 'shop',
      visitorId: 'kiosk',
      receivedAt: message.timestamp,
      messages: [{ ...message, messageId: `m${index}-${userId}`, ...(userId && { userId }) }],
    }
    return applyEnvelope(profile, envelope, index + 1)
  }, undefined)!
}

function withUndone(profile: Profile, users: readonly string[]): Profile {
  const decision = { state: 'undone', at: START, cause: 'a test' } as const
  return { ...profile, links: users.reduce((links, userId) => withLink(links, userId, { decision }), profile.links!) }
}

const pagesOf = (profile: Profile, userId: string) =>
  featureValues(statesOfUser(profile, userId, DEFAULT_FEATURES), DEFAULT_FEATURES, START, ['page_views']).get(
    'page_views',
  )!.value

describe('what was done on a shared browser', () => {
  it('counts for its user, and of users held back for the browser alone', () => {
    const users = range(0, 60).map(index => `u${index % 12}`)
    const profile = browserOf([...users, undefined])
    expect(range(0, 12).map(index => pagesOf(profile, `u${index}`))).toEqual([6, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0, 0])
    expect(pagesOf(profile, '')).toBe(35)
  })

  it('counts for none but those who did it, and once, however many they are', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          range(0, 80).map(index => `u${index % 40}`),
          { minLength: 40 },
        ),
        users => {
          const profile = browserOf(users)
          const joined = joinedUsers(profile.links!)
          const ofUser = (userId: string) => users.filter(each => each === userId).length
          for (const userId of joined) expect(pagesOf(profile, userId)).toBeOneOf([0, ofUser(userId)])
          const all = [...joined, ''].map(userId => pagesOf(profile, userId) as number)
          expect(all.reduce((a, b) => a + b)).toBe(users.length)
          expect(Object.keys(profile.featuresByUser!).length).toBeLessThanOrEqual(21)
        },
      ),
      { numRuns: 40 },
    )
  })
})

/** Views of pages at a kiosk: user `k1` once, `k2` twice, and so on, and of no user three times. */
const VIEWS_OF_SEVEN = range(0, 8)
  .flatMap(index => range(0, index || 3).map(() => (index === 0 ? undefined : `k${index}`)))
  .map((userId, index) => ({ userId, at: START + (userId ? Number(userId.slice(1)) * 100 : 1_000) * 60_000 + index }))

describe('a browser of seven users', () => {
  it('gives each of the first five exactly their own, and the last two’s to none, in any order', () => {
    const { length } = VIEWS_OF_SEVEN
    fc.assert(
      fc.property(
        fc.shuffledSubarray(VIEWS_OF_SEVEN, { minLength: length, maxLength: length }),
        fc.constantFrom<readonly string[]>([], ['k1'], ['k2', 'k3'], ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7']),
        (views, undone) => {
          const profile = withUndone(profileOfViews(views), undone)
          const states = range(1, 8).map(index => settleUser(profile.links!, `k${index}`)!.state)
          const joined = range(1, 8).filter(index => states[index - 1] === 'joined')
          if (undone.length === 0) expect(joined).toEqual([1, 2, 3, 4, 5])
          const all = range(1, 8).map(index => pagesOf(profile, `k${index}`))
          expect(all).toEqual(
            range(1, 8).map(index => (joined.includes(index) ? index + (index === joined[0] ? 3 : 0) : 0)),
          )
          const total = all.reduce<number>((sum, pages) => sum + (pages as number), 0)
          expect(pagesOf(profile, '')).toBe(length - total)
        },
      ),
    )
  })
})

describe('an undo on a browser of two users', () => {
  const tab = profileOfViews([
    ...[1, 2].map(at => ({ userId: 'u1', at: START + at })),
    { userId: undefined, at: START + 3 },
    { userId: 'u2', at: START + 4 },
  ])
  // Pages of u1, of u2, and of the browser alone. What names no user is the first user's who is joined.
  it.each<[readonly string[], number[]]>([
    [[], [3, 1, 0]],
    [['u2'], [3, 0, 1]],
    [['u1'], [0, 2, 2]],
    [
      ['u1', 'u2'],
      [0, 0, 4],
    ],
  ])('of %j gives no user what was done under another’s id', (undone, expected) => {
    const profile = withUndone(tab, undone)
    expect(['u1', 'u2', ''].map(userId => pagesOf(profile, userId))).toEqual(expected)
  })

  it('leaves what was done under an id that many share to the browser', () => {
    const profile = browserOf(['u1', 'test', 'test'])
    expect(['u1', 'test', ''].map(userId => pagesOf(profile, userId))).toEqual([1, 0, 2])
  })
})

describe('a browser that a guard of its user holds back', () => {
  it('is a person by itself, with what it did under the user’s id', async () => {
    const profile = { ...browserOf(['tester', 'tester', undefined]), traits: { plan: 'pro' } }
    const links = each(60, index => [index / 3])
    const links60 = { ...links, kiosk: { firstAt: START + 25 * DAY, lastAt: START + 25 * DAY, cause: 'identify' } }
    const ofUser = { ...profile, visitorId: 'user:tester', anonymousId: '', userId: 'tester', links: links60 }
    const readPerson = createReadPerson(async (_site, keys) =>
      keys.map(key => ({ profile: key === 'user:tester' ? ofUser : undefined, readAt: START })),
    )
    const person = await readPerson(profile, DEFAULT_FEATURES)
    expect(person).toMatchObject({ id: 'kiosk', userId: '', browsers: ['kiosk'], traits: { plan: 'pro' } })
    const values = featureValues(person.features, DEFAULT_FEATURES, START, ['page_views'])
    expect(values.get('page_views')!.value).toBe(3)
  })
})
