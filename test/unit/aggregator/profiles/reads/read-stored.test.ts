import type { Nats } from '@slotstream/runtime'
import { expect, it } from 'vitest'
import { createReadStored } from '#aggregator/profiles/reads/read-stored.js'
import { newProfile } from '#core/profile/apply-message.js'

const AT = '2026-01-01T00:00:00.000Z'

it('uses what another owner answered for a second again, unless the features of the site changed since', async () => {
  let now = 10_000
  let changedAt = 0
  let events = 0
  // The owner in another process: each answer has one event more.
  const connection = {
    request: async () => {
      const profiles = [{ ...newProfile('shop', 'anna', AT), events: ++events }]
      return { data: new TextEncoder().encode(JSON.stringify({ profiles })) }
    },
  } as unknown as Nats['connection']
  const read = createReadStored({
    nats: { connection },
    partitions: 8,
    profileOf: async () => undefined,
    serves: () => false,
    staleBefore: siteId => (siteId === 'shop' ? changedAt : 0),
    now: () => now,
  })
  const eventsRead = async () => (await read('shop', ['anna']))[0]!.profile?.events
  expect(await eventsRead()).toBe(1)
  now += 999
  expect(await eventsRead()).toBe(1)
  changedAt = now
  expect(await eventsRead()).toBe(2)
  now += 1
  expect(await eventsRead()).toBe(3)
  now += 998
  expect(await eventsRead()).toBe(3)
  now += 2
  expect(await eventsRead()).toBe(4)
})
