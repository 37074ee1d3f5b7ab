import { MAX_PROFILES_READ, type Profile, type ProfilesReply, partitionOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { parseReadRequest, readReply } from '#aggregator/profiles/reads/read-request.js'

const PARTITIONS = 4
/** Visitors of partition 2. */
const OWNED = Array.from({ length: 1_000 }, (_, n) => `v${n}`).filter(id => partitionOf('shop', id, PARTITIONS) === 2)
const elsewhere = ['v0', 'v1', 'v2', 'v3', 'v4'].find(id => partitionOf('shop', id, PARTITIONS) !== 2)

const parse = (request: unknown) => parseReadRequest(new TextEncoder().encode(JSON.stringify(request)), 2, PARTITIONS)

describe('a request for profiles', () => {
  it('names a site and visitors of one partition', () => {
    const request = { siteId: 'shop', visitorIds: OWNED.slice(0, MAX_PROFILES_READ) }
    expect(parse({ ...request, newer: true })).toEqual({ ok: true, value: { ...request, as: 'stored' } })
    expect(parse({ ...request, as: 'described' })).toEqual({ ok: true, value: { ...request, as: 'described' } })
  })

  it.each([
    ['null', null, 'siteId'],
    ['no site', { visitorIds: OWNED.slice(0, 1) }, 'siteId'],
    ['a site that is none', { siteId: 'a.b', visitorIds: OWNED.slice(0, 1) }, 'siteId'],
    ['no visitors', { siteId: 'shop' }, '1 to 100'],
    ['an empty list', { siteId: 'shop', visitorIds: [] }, '1 to 100'],
    ['too many', { siteId: 'shop', visitorIds: OWNED.slice(0, MAX_PROFILES_READ + 1) }, '1 to 100'],
    [
      'a form that is none',
      { siteId: 'shop', visitorIds: OWNED.slice(0, 1), as: 'raw' },
      'neither stored nor described',
    ],
    ['a number', { siteId: 'shop', visitorIds: [7] }, 'no visitor’s key'],
    ['an empty id', { siteId: 'shop', visitorIds: [''] }, 'no visitor’s key'],
    [
      'a visitor of another partition',
      { siteId: 'shop', visitorIds: [OWNED[0], elsewhere] },
      'another partition than 2',
    ],
  ])('is rejected with the reason: %s', (_name, request, reason) => {
    expect(parse(request)).toEqual({ ok: false, reason: expect.stringContaining(reason) })
  })
})

describe('a reply with profiles', () => {
  const profile = (visitorId: string) => ({ siteId: 'shop', visitorId, traits: { name: 'Zoë' } }) as unknown as Profile

  it('has all of them, in order, in exactly the bytes that they take', () => {
    const profiles = [profile('a'), undefined, profile('b')]
    const whole = JSON.stringify({ profiles: [profile('a'), null, profile('b')] } satisfies ProfilesReply)
    const bytes = Buffer.byteLength(whole)
    expect(readReply(profiles, bytes)).toBe(whole)
    expect(readReply(profiles, bytes - 1)).toBe(JSON.stringify({ profiles: [profile('a'), null] }))
  })

  it('is none where not even one fits', () => {
    expect(readReply([profile('a')], 40)).toBeUndefined()
  })
})
