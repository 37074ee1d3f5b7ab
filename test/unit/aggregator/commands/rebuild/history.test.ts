import type { Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { type EventRow, profilesOf, withoutEndedAbsences } from '#aggregator/commands/rebuild/history.js'
import { DEFAULT_DEFINITIONS } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { createLinkList } from '#aggregator/profiles/links/link-list.js'

const row = (fields: Partial<EventRow>): EventRow => ({
  site_id: 'shop',
  message_id: `m${Math.random()}`,
  type: 'track',
  event: 'Product Viewed',
  anonymous_id: 'v1',
  user_id: '',
  session_id: '',
  timestamp: '2026-01-01T00:00:00.000Z',
  received_at: '2026-01-01T00:00:00.000Z',
  properties: { category: 'shoes' },
  traits: {},
  ...fields,
})

async function* each<T>(items: T[]) {
  yield* items
}

async function collect(rows: EventRow[]): Promise<Profile[]> {
  const found: Profile[] = []
  for await (const profile of profilesOf(each(rows), siteId => (siteId === 'shop' ? 41 : 7))) found.push(profile)
  return found
}

describe('profiles of stored events', () => {
  it('are one per visitor and site, as of the position that is asked for each', async () => {
    const found = await collect([
      row({}),
      row({ type: 'identify', event: '', user_id: 'u1', traits: { plan: 'pro' } }),
      row({ anonymous_id: '', user_id: 'u2' }),
      row({ site_id: 'other', anonymous_id: '', user_id: 'u2', session_id: 's7' }),
    ])
    expect(found.map(({ siteId, visitorId, events, seq }) => [siteId, visitorId, events, seq])).toEqual([
      ['shop', 'v1', 2, 41],
      ['shop', 'user:u2', 1, 41],
      ['other', 'user:u2', 1, 7],
    ])
    expect(found[0]).toMatchObject({ userId: 'u1', traits: { plan: 'pro' }, affinities: { shoes: 1 } })
    expect(found[2]?.session?.id).toBe('s7')
  })

  it('wait for no absence of a user that was over before, because another browser may have refuted it', async () => {
    const timestamp = '2026-01-01T01:00:00.000Z'
    const cart = { event: 'Product Added', properties: {} }
    const profiles = await collect([
      ...[row({ ...cart, user_id: 'u1' }), row({ ...cart, anonymous_id: 'v2', user_id: 'u1', timestamp })],
      ...[row({ ...cart, anonymous_id: '', user_id: 'u1' }), row({ ...cart, anonymous_id: 'v3' })],
    ])
    const dues = profiles.map(profile => {
      const { visitorId, patterns } = withoutEndedAbsences(profile, DEFAULT_DEFINITIONS, Date.parse(timestamp))
      return [visitorId, patterns?.due]
    })
    expect(dues).toEqual([
      ['v1', undefined],
      ['v2', Date.parse('2026-01-01T01:30:00.000Z')],
      ['user:u1', undefined],
      ['v3', Date.parse('2026-01-01T00:30:00.000Z')],
    ])
  })

  it('give the browsers that aliases name to the list of links', async () => {
    const links = createLinkList()
    const rows = [
      row({}),
      row({ type: 'alias', event: '', anonymous_id: '', user_id: 'u2', previous_id: 'v1', sender: 'secret' }),
      row({ type: 'alias', event: '', anonymous_id: 'eve', user_id: 'u2', previous_id: 'v1', sender: 'unsigned' }),
    ]
    const profiles = new Map<string, Profile>()
    for await (const profile of links.noted(profilesOf(each(rows), () => 41, 30, undefined, links.aliased)))
      profiles.set(profile.visitorId, profile)
    await links.writeTo({
      read: async (_site, visitorId) => ({ profile: profiles.get(visitorId) }),
      async writeAll(all) {
        for await (const profile of all) profiles.set(profile.visitorId, profile)
      },
    })
    expect(Object.keys(profiles.get('v1')!.links!)).toEqual(['u2'])
    expect(Object.keys(profiles.get('user:u2')!.links!)).toEqual(['v1'])
    expect(profiles.get('eve')!.links).toBeUndefined()
  })

  it('are none of none', async () => {
    expect(await collect([])).toEqual([])
  })
})
