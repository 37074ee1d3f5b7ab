import type { StoredMessage } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { type Calls, goClient, javaClient, pythonClients } from '../support/foreign-clients.js'
import { startGateway } from '../support/gateway.js'

const [python, go, java] = await Promise.all([pythonClients(), goClient(), javaClient()])

let broker: Awaited<ReturnType<typeof startBroker>>
let gateway: Awaited<ReturnType<typeof startGateway>>

beforeAll(async () => {
  broker = await startBroker()
  const url = await broker.collector()
  await putSite(url, 'shop')
  gateway = await startGateway(url)
})

afterAll(async () => {
  await gateway?.stop()
  await broker?.stop()
})

const clients: [string, Calls | undefined, ...string[]][] = [
  ['Segment’s for Python', python?.segment, 'plain'],
  ['Segment’s for Python, gzipped', python?.segment, 'gzip'],
  ['RudderStack’s for Python', python?.rudderstack, 'plain'],
  ['RudderStack’s for Python, gzipped', python?.rudderstack, 'gzip'],
  ['Segment’s for Go', go],
  ['Segment’s for Java', java],
]

describe('libraries in other languages, unmodified', () => {
  for (const [name, calls, ...options] of clients)
    it.skipIf(!calls)(`${name} delivers every call once, also when an answer is lost`, async () => {
      const userId = `user of ${name}`
      const lost = gateway.lost()
      gateway.loseAnswer()
      await calls!(gateway.url, 'shop', userId, '12', ...options)
      expect(gateway.lost()).toBeGreaterThan(lost)

      const all = (await readAll(broker.nats)).flatMap(({ messages }) => messages)
      const stored = all.filter(message => message.userId === userId)
      expect(new Set(stored.map(({ messageId }) => messageId)).size).toBe(15)
      expect(stored).toHaveLength(15)
      const ofType = (type: StoredMessage['type']) => stored.filter(message => message.type === type)
      expect(ofType('identify')).toMatchObject([{ userId, traits: { plan: 'pro' } }])
      expect(ofType('page')).toMatchObject([{ name: 'Home', properties: { url: 'https://shop.example/' } }])
      expect(ofType('group')).toMatchObject([{ groupId: 'g1', traits: { name: 'Example Ltd' } }])
      const bought = ofType('track').map(({ properties }) => properties as { n: number; note?: null })
      expect(bought.toSorted((a, b) => a.n - b.n).map(({ note: _null, ...rest }) => rest)).toEqual(
        Array.from({ length: 12 }, (_, n) => ({ n, price: 12.5, gift: true, tags: ['ä', 'b'] })),
      )
      // A call's own time, not that of its arrival alone.
      expect(stored.every(({ originalTimestamp }) => originalTimestamp !== undefined)).toBe(true)
    })
})
