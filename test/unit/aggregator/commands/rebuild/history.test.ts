import type { Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { type EventRow, profilesOf } from '#aggregator/commands/rebuild/history.js'

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

  it('are none of none', async () => {
    expect(await collect([])).toEqual([])
  })
})
