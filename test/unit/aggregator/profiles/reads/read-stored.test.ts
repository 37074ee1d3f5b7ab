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

it('remembers no more of them than fit into their memory', async () => {
  const asked: string[] = []
  const connection = {
    request: async (_subject: string, body: string) => {
      const [visitorId] = JSON.parse(body).visitorIds as [string]
      asked.push(visitorId)
      const profile = { ...newProfile('shop', visitorId, AT), traits: { text: 'x'.repeat(500_000) } }
      return { data: new TextEncoder().encode(JSON.stringify({ profiles: [profile] })) }
    },
  } as unknown as Nats['connection']
  const nats = { connection }
  const read = createReadStored({
    nats,
    partitions: 8,
    profileOf: async () => undefined,
    serves: () => false,
    now: () => 1,
  })
  const visitorIds = Array.from({ length: 100 }, (_, number) => `visitor-${number}`)
  for (const visitorId of visitorIds) await read('shop', [visitorId])
  asked.length = 0
  await read('shop', ['visitor-99', 'visitor-0'])
  expect(asked).toEqual(['visitor-0'])
})
