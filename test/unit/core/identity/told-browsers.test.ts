import type { EventEnvelope, Profile } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { createLinkList } from '#aggregator/profiles/links/link-list.js'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { joinedBrowsers, withLink } from '#core/identity/links.js'
import { applyEnvelope } from '#core/profile/apply.js'

const AT = Date.UTC(2026, 0, 10)
const LINK = { firstAt: AT, lastAt: AT, cause: 'alias' }
const ALIAS = { anonymousId: 'cookie', userId: 'ann', link: LINK }

function applied(profile: Profile | undefined, seq: number, of: Partial<EventEnvelope>, visitorId = 'cookie'): Profile {
  const receivedAt = new Date(AT).toISOString()
  return applyEnvelope(profile, { siteId: 'shop', visitorId, receivedAt, messages: [], ...of }, seq)!
}

const SERVED = { decisionId: 'd1', slotId: 'hero', at: AT, sessionId: '', items: [] }
const served = (visitorId?: string) => applied(undefined, 1, { served: [SERVED] }, visitorId)
/** Returns a profile as earlier versions stored it. */
const nameless = (profile: Profile): Profile => ({ ...profile, anonymousId: '', userId: '' })

it('a visitor of whom only a decision tells has the id that the decision names', () => {
  expect(served()).toMatchObject({ anonymousId: 'cookie', userId: '' })
  expect(served('visitor:user:x')).toMatchObject({ anonymousId: 'user:x', userId: '' })
  expect(served('user:ann')).toMatchObject({ anonymousId: '', userId: 'ann' })
})

it('a stored profile without an id gets it with the next envelope', () => {
  expect(applied(nameless(served()), 2, { identity: [ALIAS] })).toMatchObject({ anonymousId: 'cookie', userId: '' })
  expect(applied(nameless(served('user:ann')), 2, { identity: [ALIAS] }, 'user:ann')).toMatchObject({ userId: 'ann' })
})

it('a browser without a stored id is read as one of its person', async () => {
  const browser = nameless(applied(served(), 2, { identity: [ALIAS] }))
  const readStored = async (_siteId: string, visitorIds: readonly string[]) => {
    expect(visitorIds).not.toContain('')
    return visitorIds.map(() => ({ profile: undefined, readAt: AT }))
  }
  const person = await createReadPerson(readStored as never)(browser, DEFAULT_FEATURES)
  expect(person).toMatchObject({ id: 'ann', browsers: ['cookie'] })
  const alone = await createReadPerson(readStored as never)(nameless(served()), DEFAULT_FEATURES)
  expect(alone).toMatchObject({ id: 'cookie', browsers: ['cookie'] })
})

it('a list of links names a browser without a stored id by its key', async () => {
  const links = createLinkList()
  const browser = nameless(applied(served(), 2, { identity: [ALIAS] }))
  for await (const _profile of links.noted([browser]));
  const written: Profile[] = []
  await links.writeTo({
    read: async () => ({ profile: undefined }),
    async writeAll(all) {
      for await (const profile of all) written.push(profile)
    },
  })
  expect(written.map(profile => Object.keys(profile.links!))).toEqual([['cookie']])
})

it('links without an id are none, and leave with the next one', () => {
  const stored = { '': LINK, phone: LINK }
  expect(joinedBrowsers('ann', stored)).toEqual(['phone'])
  expect(Object.keys(withLink(stored, 'cookie', LINK))).toEqual(['phone', 'cookie'])
  expect(withLink({}, '', LINK)).toEqual({})
})
