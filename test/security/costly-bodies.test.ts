import { afterAll, beforeAll, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { WITHOUT_LIMITS } from '../support/without-limits.js'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector({ settings: WITHOUT_LIMITS, decideTimeoutMs: 100 })
  for (const siteId of ['shop', 'blocks']) await putSite(url, siteId)
})

afterAll(() => broker?.stop())

async function post(at: string, path: string, key: string, body: unknown) {
  const response = await fetch(`${at}${path}?writeKey=${key}`, { method: 'POST', body: JSON.stringify(body) })
  const answer = await response.text()
  return { status: response.status, size: answer.length, body: JSON.parse(answer) }
}

const question = (batches: unknown[]) => ({ anonymousId: 'v', slots: [{ id: 's' }], batches })

it('batches of a request for slots are bound in number, also without a message', async () => {
  for (const batch of [{ batch: [] }, {}, { batch: 0 }]) {
    const refused = await post(url, '/v1/slots', 'shop', question(new Array(30_000).fill(batch)))
    expect(refused).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('30000 entries') } },
    })
    expect(refused.size).toBeLessThan(500)
  }
  for (const batch of [{ batch: [] }, {}]) {
    const { status, size, body } = await post(url, '/v1/slots', 'shop', question(new Array(200).fill(batch)))
    expect([status, body.batches.length]).toEqual([200, 200])
    expect(size).toBeLessThan(16 * 1024 + 200 * 70)
  }
})

it('batches of a request for slots cost what a message does where they have none', async () => {
  const strict = await broker.collector({ settings: { ...WITHOUT_LIMITS, addressMessagesPerSecond: 10 } })
  expect((await post(strict, '/v1/slots', 'shop', question(new Array(200).fill({ batch: [] })))).status).toBe(200)
  expect((await post(strict, '/v1/slots', 'shop', question([]))).status).toBe(429)
})

it('contexts of batches do not multiply in a request for slots', async () => {
  const before = (await readAll(broker.nats, 'EVENTS')).length
  const message = { type: 'page', anonymousId: 'v' }
  const batches = new Array(20).fill({ context: { text: 'x'.repeat(9_000) }, batch: new Array(40).fill(message) })
  expect((await post(url, '/v1/slots', 'shop', question(batches))).status).toBe(413)
  expect((await readAll(broker.nats, 'EVENTS')).length).toBe(before)
})

it('a schema that refers to itself does not let one message hold up the others', async () => {
  const children = { type: 'array', items: { $ref: '#/$defs/block' } }
  const kinds = ['row', 'column', 'card', 'tabs']
  const block = {
    oneOf: [
      ...kinds.map(kind => ({ properties: { children, kind: { const: kind } }, required: ['kind'] })),
      { properties: { text: { type: 'string' }, kind: { const: 'text' } }, required: ['kind', 'text'] },
    ],
  }
  const schema = { type: 'object', $defs: { block }, properties: { page: { $ref: '#/$defs/block' } } }
  const stored = await fetch(`${url}/v1/admin/sites/blocks/plan`, {
    method: 'PUT',
    headers: { Authorization: 'Bearer secret' },
    body: JSON.stringify({ mode: 'enforce', schemas: { Shown: { '1-0-0': schema } } }),
  })
  expect(stored.status).toBe(200)
  const nested = (depth: number, text: unknown) => {
    let page: object = { kind: 'text', text }
    for (let level = 0; level < depth; level++) page = { children: [page], kind: kinds[level % 4] }
    return { type: 'track', event: 'Shown', anonymousId: 'v', properties: { page } }
  }
  const usual = nested(2, 'x')
  await expect
    .poll(async () => (await post(url, '/v1/batch', 'blocks', { batch: [nested(1, 1)] })).body.rejected.length)
    .toBe(1)
  // Levels of a message are limited; with lists, seven of these are deep enough to multiply.
  const hostile = [nested(6, 'x'), nested(6, 1)].flatMap(message => new Array(100).fill(message))
  const { status, body } = await post(url, '/v1/batch', 'blocks', { batch: [usual, ...hostile, usual] })
  expect(status).toBe(200)
  const reasons = body.rejected.map(({ reason }: { reason: string }) => reason)
  expect(reasons.some((reason: string) => reason.includes('needs too many steps'))).toBe(true)
  expect(body.accepted).toBeGreaterThanOrEqual(2)
})
