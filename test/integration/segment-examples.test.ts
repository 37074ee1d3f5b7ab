import { readdirSync, readFileSync } from 'node:fs'
import type { EventEnvelope, StoredMessage } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'

const folder = new URL('../fixtures/segment-http-api/', import.meta.url)
const files = readdirSync(folder).filter(file => file.endsWith('.json'))

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop', { writeKeys: ['YOUR_WRITE_KEY', 'DmBXIN4JnwqBnTqXccTF0wBnLXNQmFtk'] })
})

afterAll(() => broker?.stop())

/** Sends an example to the route that its name says; gives the answer and what the stream then has more. */
async function send(file: string) {
  const [route] = file.split('.')
  const before = (await broker.nats.manager.streams.info('EVENTS')).state.last_seq
  const response = await fetch(`${url}/v1/${route}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(file.includes('access-token') ? { Authorization: 'Bearer some-access-token' } : {}),
    },
    body: readFileSync(new URL(file, folder)),
  })
  const envelopes = await readAll<EventEnvelope>(broker.nats, 'EVENTS', before)
  const stored = envelopes.flatMap(({ messages, receivedAt }) => messages.map(message => ({ ...message, receivedAt })))
  return { status: response.status, answer: await response.json(), stored }
}

describe('the examples of Segment’s documentation', () => {
  it('are all here', () => {
    expect(files).toHaveLength(10)
  })

  it.each(files)('%s is accepted, byte for byte, and stored with all that it says', async file => {
    const sent = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    const { status, answer, stored } = await send(file)
    const messages: StoredMessage[] = sent.batch ?? [sent]
    expect([status, answer]).toMatchObject([200, { success: true, accepted: messages.length, rejected: [] }])
    expect(stored).toHaveLength(messages.length)
    for (const [index, { writeKey, integrations, context, timestamp, ...rest }] of (
      messages as unknown as Loose[]
    ).entries())
      expect(stored[index]).toMatchObject({ type: file.split('.')[0], ...rest })
    expect(JSON.stringify(stored)).not.toMatch(/writeKey|integrations|24\.5\.68\.47/)
  })

  it('keep the times they name, also with months of one digit', async () => {
    const { stored } = await send('batch.json')
    expect(stored.map(({ timestamp }) => timestamp)).toEqual([
      '2012-12-02T00:30:08.276Z',
      '2012-12-02T00:30:12.984Z',
      '2015-02-02T00:30:08.276Z',
      '2015-02-02T00:30:12.984Z',
    ])
  })

  it('have the context of their batch, and device facts of their own', async () => {
    const { stored } = await send('batch.json')
    for (const { context } of stored) expect(context?.device).toEqual({ type: 'phone', name: 'Apple iPhone 6' })
  })
})

describe('the four times of a message', () => {
  it('are kept: client, sent, received, and corrected, which is never after receipt', async () => {
    const [client, sent] = ['2031-01-31T12:00:00.000Z', '2031-01-31T12:00:10.000Z']
    const body = { writeKey: 'YOUR_WRITE_KEY', userId: 'clock', event: 'E', timestamp: client, sentAt: sent }
    const before = (await broker.nats.manager.streams.info('EVENTS')).state.last_seq
    for (const timestamp of [client, '2031-01-31T12:00:11.000Z'])
      await fetch(`${url}/v1/track`, { method: 'POST', body: JSON.stringify({ ...body, timestamp }) })
    const [early, late] = await readAll<EventEnvelope>(broker.nats, 'EVENTS', before)
    const received = Date.parse(early!.receivedAt)
    expect(early?.messages).toMatchObject([
      { originalTimestamp: client, sentAt: sent, timestamp: new Date(received - 10_000).toISOString() },
    ])
    expect(late?.messages).toMatchObject([{ timestamp: late?.receivedAt }])
  })
})

type Loose = Record<string, unknown>
