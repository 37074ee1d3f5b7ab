import { afterAll, beforeAll, expect, it } from 'vitest'
import { ADMIN_TOKEN, putSite, readAll, startBroker } from '../support/collector.js'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector({ decideTimeoutMs: 100 })
  await putSite(url, 'shop', { allowedOrigins: ['*'] })
  await putSite(url, 'other', { allowedOrigins: ['*'] })
  await putSite(url, 'heeds', { allowedOrigins: ['*'], privacySignals: 'honour' })
})
afterAll(() => broker?.stop())

async function link(siteId: string, body: object = { as: { userId: 'ann' } }, token = ADMIN_TOKEN) {
  const response = await fetch(`${url}/v1/admin/sites/${siteId}/preview-links`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  return { status: response.status, ...((await response.json()) as { token: string }) }
}

async function ask(writeKey: string, preview: unknown, headers: Record<string, string> = {}, more: object = {}) {
  const response = await fetch(`${url}/v1/slots?writeKey=${writeKey}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ anonymousId: 'me', slots: [{ id: 'hero' }], preview, ...more }),
  })
  return { status: response.status, body: await response.json() }
}
const refused = { status: 403, body: { error: { code: 'preview_ended', message: expect.any(String) } } }

it('only an administrator makes preview links', async () => {
  expect((await link('shop', undefined, 'wrong')).status).toBe(401)
  expect((await link('none')).status).toBe(404)
})

it('a token counts for its site, as it was made', async () => {
  const { token } = await link('shop')
  expect((await ask('shop', token)).status).toBe(200)
  expect(await ask('other', token)).toEqual(refused)
  expect(await ask('shop', `${token.slice(0, -2)}AA`)).toEqual(refused)
  expect(await ask('shop', 'x'.repeat(100_000))).toEqual(refused)
  expect((await ask('shop', { token })).status).toBe(400)
})

it('nothing is recorded of a preview, also where no process decides; messages of its page are', async () => {
  const { token } = await link('shop')
  const decisions = (await readAll(broker.nats, 'DECISIONS')).length
  const message = { type: 'track', event: 'E', anonymousId: 'me', messageId: 'in-preview' }
  const { body } = await ask('shop', token, {}, { batch: [message] })
  expect(body.decisions).toEqual([{ slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [], preview: true }])
  expect((await readAll(broker.nats, 'DECISIONS')).length).toBe(decisions)
  const stored = (await readAll(broker.nats)).flatMap(({ visitorId, messages }) => messages.map(() => visitorId))
  expect(stored).toContain('me')
  expect(stored.some(visitorId => visitorId.includes('ann'))).toBe(false)
})

it('a token is removed from the URLs that are stored', async () => {
  const { token } = await link('shop')
  const context = { page: { url: `https://shop.example/?slotstream_preview=${token}` } }
  await ask('shop', undefined, {}, { batch: [{ type: 'page', anonymousId: 'me', messageId: 'with-token', context }] })
  expect(JSON.stringify(await readAll(broker.nats))).not.toContain(token)
})

it('a privacy signal is honoured in a preview, too', async () => {
  const { token } = await link('heeds')
  const { body } = await ask('heeds', token, { 'Sec-GPC': '1' })
  expect(body.decisions[0]).toEqual({ slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [] })
})
