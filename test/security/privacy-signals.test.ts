import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'heeds', { allowedOrigins: ['*'], privacySignals: 'honour', enrichment: { idCookie: true } })
  await putSite(url, 'ignores', { allowedOrigins: ['*'], privacySignals: 'ignore' })
  await putSite(url, 'silent', { allowedOrigins: ['*'] })
})

afterAll(() => broker?.stop())

const SIGNALS = [
  ['gpc', { 'Sec-GPC': '1' }],
  ['dnt', { DNT: '1' }],
  ['gpc', { 'Sec-GPC': '1', DNT: '1' }],
] as const

async function post(path: string, writeKey: string, body: object | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}?writeKey=${writeKey}`, {
    method: 'POST',
    headers: { Origin: 'https://shop.example', ...headers },
    body: body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  })
  return { status: response.status, cookie: response.headers.get('Set-Cookie'), body: await response.json() }
}

let messages = 0
const message = (rest: object = {}) => ({
  type: 'track',
  event: 'E',
  anonymousId: 'v',
  messageId: `m-${++messages}`,
  ...rest,
})

/** All that an installation keeps of what comes in: how many stream messages there are. */
async function kept(): Promise<number> {
  const streams = await broker.nats.manager.streams.list().next()
  return streams.reduce((sum, { state }) => sum + state.messages, 0)
}

describe.each(SIGNALS)('a request with the signal %s of a site that honours it, %j,', (signal, headers) => {
  it('leaves no message and no rejected one behind, and is acknowledged', async () => {
    const before = await kept()
    const batch = [message(), message(), message({ event: '' })]
    const dropped = (count: number) => ({
      status: 200,
      cookie: null,
      body: { success: true, accepted: 0, rejected: [], dropped: { [signal]: count } },
    })
    expect(await post('/v1/batch', 'heeds', { batch, batchId: 'b' }, headers)).toEqual(dropped(3))
    expect(await post('/v1/batch', 'heeds', gzipSync(JSON.stringify({ batch })), headers)).toEqual(dropped(3))
    expect(await post('/v1/identify', 'heeds', { userId: 'ann' }, headers)).toEqual(dropped(1))
    expect(await kept()).toBe(before)
  })

  it('is not decided for, and leaves no decision behind', async () => {
    const before = await kept()
    const asked = { anonymousId: 'v', slots: [{ id: 'hero' }], batches: [{ batchId: 'c', batch: [message()] }] }
    const answer = await post('/v1/slots', 'heeds', asked, headers)
    expect(answer).toEqual({
      status: 200,
      cookie: null,
      body: {
        decisions: [{ slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [] }],
        batches: [{ success: true, accepted: 0, rejected: [], dropped: { [signal]: 1 } }],
      },
    })
    expect(await kept()).toBe(before)
  })

  it('is still refused when it makes no sense', async () => {
    expect(await post('/v1/batch', 'heeds', { batch: 1 }, headers)).toMatchObject({ status: 400 })
    expect(await post('/v1/batch', 'nobody', { batch: [message()] }, headers)).toMatchObject({ status: 401 })
  })

  it('is stored by sites that ignore it, which is the default', async () => {
    for (const site of ['ignores', 'silent']) {
      const { body } = await post('/v1/batch', site, { batch: [message()] }, headers)
      expect(body).toMatchObject({ accepted: 1 })
      expect(body.dropped).toBeUndefined()
    }
  })
})

it('a request without a signal, or with one that is off, is stored', async () => {
  const signals: Record<string, string>[] = [{}, { 'Sec-GPC': '0' }, { DNT: '0' }, { DNT: 'null' }]
  for (const headers of signals)
    expect(await post('/v1/batch', 'heeds', { batch: [message()] }, headers)).toMatchObject({
      cookie: expect.stringContaining('slotstream_id=v'),
      body: { accepted: 1 },
    })
  const stored = await readAll(broker.nats)
  expect(stored.filter(({ siteId }) => siteId === 'heeds').flatMap(({ messages }) => messages)).toHaveLength(4)
})

it('the metrics count what was dropped by its signal', async () => {
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toMatch(/slotstream_privacy_signal_messages_total\{[^}]*signal="gpc"[^}]*\} 16/)
  expect(text).toMatch(/slotstream_privacy_signal_messages_total\{[^}]*signal="dnt"[^}]*\} 8/)
  expect(text).toMatch(/slotstream_privacy_signal_slots_total\{[^}]*signal="dnt"[^}]*\} 1/)
})

it('a site takes no other value', async () => {
  await expect(putSite(url, 'odd', { privacySignals: 'maybe' })).rejects.toThrow('privacySignals must be')
})
