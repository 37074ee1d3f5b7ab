import { type IdentityChange, type Links, type Profile, visitorIdOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createLinkList } from '#aggregator/profiles/links/link-list.js'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { guardOfUser, settleUser, withLink } from '#core/identity/links.js'
import { applyChanges } from '#core/identity/name-users.js'
import { statesOfUser, userOfBrowser } from '#core/identity/person.js'
import { verdictsOf } from '#core/identity/verdicts.js'
import { createPeople } from '../patterns/people.js'
import { DAY, heldOf, named, START, USER } from './held-browsers.js'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('what a user’s guard says of browsers', () => {
  it('makes the browser a person of its own, with what it did under the user’s id', async () => {
    const people = createPeople()
    for (const index of range(51)) people.send(named(`b${index}`, index / 10))
    people.settle()
    const browser = people.profiles.get('b50')!
    expect(heldOf(people, ['b49', 'b50'])).toEqual([['b50'], ['b50']])
    expect(settleUser(browser.links!, 'ann')).toEqual({ state: 'held', cause: 'browsers_per_user' })
    expect(userOfBrowser(browser)).toBe('')
    const own = statesOfUser(browser, '', DEFAULT_FEATURES)
    expect(own).not.toEqual(statesOfUser(browser, 'ann', DEFAULT_FEATURES))
    const readStored = async () => expect.fail('no other profile has to be read')
    const person = await createReadPerson(readStored as never)(browser, DEFAULT_FEATURES)
    expect(person).toMatchObject({ id: 'b50', userId: '', browsers: ['b50'], features: own })
  })

  it('is told once a state changes, and to no browser about which an administrator decided', () => {
    const people = createPeople()
    const sent: unknown[] = []
    for (const index of range(60)) people.send(named(`b${index}`, 40 + index / 10))
    people.settle()
    const { links } = people.profiles.get(USER)!
    const told = (change: Omit<IdentityChange, 'userId'>) => {
      const identity = [{ userId: 'ann', ...change }]
      const envelope = { siteId: 'shop', visitorId: USER, receivedAt: '', identity, messages: [] }
      return verdictsOf(links, applyChanges(links, USER, identity), envelope, 7)
    }
    sent.push(...told({ anonymousId: 'b0', decision: { state: 'undone', at: START, cause: '' } }))
    expect(sent).toEqual([
      {
        ...{ anonymousId: 'b50', userId: 'ann', verdict: { isHeld: false, seq: 7 } },
        link: { firstAt: START + 45 * DAY, lastAt: START + 45 * DAY, cause: 'page' },
      },
    ])
    const first = { firstAt: START + 39 * DAY, lastAt: START + 39 * DAY, cause: 'page' }
    expect(told({ anonymousId: 'early', link: first })).toMatchObject([
      { anonymousId: 'b49', verdict: { isHeld: true } },
    ])
    expect(told({ anonymousId: 'b55', decision: { state: 'joined', at: START, cause: '' } })).toEqual([])
    expect(told({ anonymousId: 'constructor', link: { ...first, firstAt: first.firstAt + 9 * DAY } })).toMatchObject([
      { anonymousId: 'constructor', link: { lastAt: first.firstAt + 9 * DAY }, verdict: { isHeld: true } },
    ])
  })

  it('makes no link by itself, and says nothing of ids that many share', () => {
    expect(withLink({}, 'ann', { verdict: { isHeld: true, seq: 1 } })).toEqual({})
    const links: Links = Object.fromEntries(range(70).map(at => [`b${at}`, { firstAt: at, lastAt: at, cause: '' }]))
    expect([guardOfUser('ann', links)('b60'), guardOfUser('test', links)('b60')]).toEqual([true, false])
  })
})

describe('a rebuild', () => {
  it('writes it into the profiles of browsers, also where the stream has an older one', async () => {
    const people = createPeople()
    for (const index of range(55)) people.send(named(`b${index}`, index / 10))
    people.settle()
    // As of messages alone, but for two verdicts of which the stream has the tellings.
    const computed = new Map<string, Profile>()
    for (const [key, profile] of people.profiles) {
      const { links, ...others } = profile
      const { verdict: _told, ...ofAnn } = links?.ann ?? { firstAt: 0, lastAt: 0, cause: '' }
      const older = key === 'b3' ? { verdict: { isHeld: true, seq: 2 } } : {}
      if (key !== USER) computed.set(key, { ...others, links: { ann: { ...ofAnn, ...older } } })
      else computed.set(key, others)
    }
    const list = createLinkList()
    for await (const _profile of list.noted([...computed.values()]));
    await list.writeTo({
      read: async (_siteId, visitorId) => ({ profile: computed.get(visitorId) }),
      async writeAll(all) {
        for await (const profile of all) computed.set(profile.visitorId, profile)
      },
    })
    const browsers = range(55).map(index => visitorIdOf({ anonymousId: `b${index}` }))
    const held = ['b50', 'b51', 'b52', 'b53', 'b54']
    expect(heldOf({ ...people, profiles: computed }, browsers)).toEqual([held, held])
    expect(computed.get('b3')!.links!.ann!.verdict).toEqual({ isHeld: false, seq: people.profiles.get(USER)!.seq })
    expect(computed.get('b4')!.links!.ann).not.toHaveProperty('verdict')
    expect(Object.values(computed.get(USER)!.links!).some(({ verdict }) => verdict)).toBe(false)
  })
})
