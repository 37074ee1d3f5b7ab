import { STREAMS } from '@slotstream/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop', { spread: ['backend'] })
})
afterAll(() => broker?.stop())

const send = async (batchId: string, anonymousId: string, ids: string[]) => {
  const batch = ids.map(messageId => ({ messageId, type: 'track', event: 'Imported', anonymousId }))
  const response = await fetch(`${url}/v1/batch?writeKey=shop`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ batchId, batch }),
  })
  expect(response.status).toBe(200)
  return response.json() as Promise<{ accepted: number; position?: number }>
}

const placesOf = async () => {
  const { state } = await broker.nats.manager.streams.info(STREAMS.events.name, { subjects_filter: '>' })
  return Object.keys(state.subjects ?? {}).length
}

it('spreads the messages of a sender that a site names, each once, and keeps those of a visitor together', async () => {
  const ids = Array.from({ length: 60 }, (_, n) => `m${n}`)
  await send('a', 'visitor', ids)
  expect(await placesOf()).toBe(1)

  const answer = await send('b', 'backend', ids)
  expect(answer).toMatchObject({ accepted: 60 })
  // No request can wait for it: it has no profile.
  expect(answer.position).toBeUndefined()
  expect(await placesOf()).toBeGreaterThan(3)
  const stored = (await readAll(broker.nats)).filter(({ visitorId }) => visitorId === 'backend')
  expect(stored.every(({ spread }) => spread === true)).toBe(true)
  expect(stored.flatMap(({ messages }) => messages.map(({ messageId }) => messageId)).sort()).toEqual([...ids].sort())

  await send('b', 'backend', ids)
  expect(await readAll(broker.nats)).toHaveLength(stored.length + 1)
})
