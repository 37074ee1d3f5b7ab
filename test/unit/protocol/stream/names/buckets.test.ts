import {
  BUCKETS,
  bucketOfStream,
  bucketStream,
  generationOf,
  isKeySubject,
  keyOfSubject,
  keySubject,
  profilesBucket,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

describe('buckets', () => {
  it('have a stream each, which leads back to the bucket', () => {
    for (const name of [...Object.values(BUCKETS), profilesBucket(3)])
      expect(bucketOfStream(bucketStream(name))).toBe(name)
    expect(bucketStream('profiles_3')).toBe('KV_profiles_3')
    expect(['EVENTS', 'EVENTS_1', 'kv_sites', 'XKV_sites'].map(bucketOfStream)).toEqual(Array(4).fill(undefined))
  })

  it('have a subject for each key, which leads back to the key', () => {
    expect(keySubject('catalog', 'shop.slot.hero')).toBe('$KV.catalog.shop.slot.hero')
    expect(keyOfSubject('catalog', '$KV.catalog.shop.slot.hero')).toBe('shop.slot.hero')
    expect(['$KV.sites.shop', 'events.3', 'x.$KV.sites'].map(isKeySubject)).toEqual([true, false, false])
  })

  it('of profiles tell their generation', () => {
    for (const generation of [0, 1, 27]) expect(generationOf(profilesBucket(generation))).toBe(generation)
    const others = [
      'positions',
      'profiles_',
      'profiles_0',
      'profiles_01',
      'profiles_x',
      'profiles_1_2',
      'my_profiles_1',
    ]
    expect(others.map(generationOf)).toEqual(others.map(() => undefined))
  })
})
