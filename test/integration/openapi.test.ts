import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBroker } from '../support/collector.js'

type Schema = object
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }>>
}

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string
let document: Document
let ajv: Ajv2020

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector({ decideTimeoutMs: 200 })
  document = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'api', ...document })
})

afterAll(() => broker?.stop())

/** What the description says of an answer. */
function described(method: string, path: string, status: number): ValidateFunction {
  const answer = document.paths[path]?.[method]?.responses[status]
  if (!answer) throw new Error(`${status} of ${method} ${path} is not described`)
  const schema = answer.content?.['application/json']?.schema ?? {}
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components')))
}

/** Calls a route and holds its answer against the description. */
async function call(method: string, path: string, { at = path, status = 200, body }: Call = {}) {
  const response = await fetch(`${url}${at}`, {
    method: method.toUpperCase(),
    headers: { Authorization: 'Bearer secret' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  expect(response.status, JSON.stringify(answer)).toBe(status)
  const isAsDescribed = described(method, path, status)
  expect(isAsDescribed(answer), JSON.stringify({ answer, errors: isAsDescribed.errors })).toBe(true)
  return answer
}

interface Webhook {
  id: string
}

interface Call {
  /** The path with its parameters filled in. */
  at?: string
  status?: number
  body?: unknown
}

const SITE = '/v1/admin/sites/{siteId}'
const track = { type: 'track', event: 'E', anonymousId: 'v', messageId: 'message-1' }
let sites = 0

/** Stores a site of a test's own, whose id is its write key, and says where its admin routes are. */
async function createSite(settings: object = {}) {
  const key = `shop-${++sites}`
  const at = (rest = '') => `/v1/admin/sites/${key}${rest}`
  await call('put', SITE, { at: at(), body: { writeKeys: [key], ...settings } })
  return { key, at }
}

describe('the answers of the collector are as described:', () => {
  it('sites and their catalog', async () => {
    const { at } = await createSite({ enrichment: { ip: 'truncated' } })
    await call('patch', SITE, { at: at(), body: { enrichment: { ip: null } } })
    await call('get', '/v1/admin/sites')
    await createSite({ secretKeys: ['sk_live_0123456789'], identitySecret: 'identity-secret-0123456789' })
    await call('get', '/v1/admin/sites')
    const slot = { policy: { type: 'affinity', exploration: 0.1 }, count: 2 }
    await call('put', `${SITE}/slots/{id}`, { at: at('/slots/hero'), body: slot })
    const content = { slots: ['hero'], payload: { title: 'T', price: 1 } }
    await call('put', `${SITE}/content/{id}`, { at: at('/content/c'), body: content })
    await call('post', `${SITE}/catalog`, { at: at('/catalog'), body: { slots: [{ id: 's' }] } })
    const fixed = { id: 's', policy: { type: 'fixed', contentIds: ['none'] }, control: 'page' }
    await call('post', `${SITE}/catalog`, { at: at('/catalog'), body: { slots: [fixed] } })
    await call('get', `${SITE}/catalog`, { at: at('/catalog') })
    await call('post', `${SITE}/catalog`, { at: at('/catalog'), body: { revision: 0 }, status: 409 })
    const drafted = { draft: true, content: [{ id: 'd', slots: ['s'], caps: [{ count: 3, per: '24h' }] }] }
    await call('post', `${SITE}/catalog`, { at: at('/catalog'), body: drafted })
    await call('get', `${SITE}/catalog`, { at: at('/catalog?draft=1') })
    await call('post', `${SITE}/catalog/publish`, { at: at('/catalog/publish') })
    await call('post', `${SITE}/catalog/publish`, { at: at('/catalog/publish'), status: 404 })
    await call('post', `${SITE}/catalog`, { at: at('/catalog'), body: drafted })
    await call('delete', `${SITE}/catalog/draft`, { at: at('/catalog/draft') })
    await call('get', `${SITE}/catalog/history`, { at: at('/catalog/history') })
    await call('get', `${SITE}/catalog/history/{revision}`, { at: at('/catalog/history/2') })
    await call('get', `${SITE}/catalog/history/{revision}`, { at: at('/catalog/history/99'), status: 404 })
    await call('post', `${SITE}/catalog/rollback`, { at: at('/catalog/rollback'), body: { revision: 2 } })
    await call('delete', `${SITE}/content/{id}`, { at: at('/content/c') })
    await call('post', `${SITE}/decisions/import`, { at: at('/decisions/import'), body: { decisions: [5] } })
    await call('delete', SITE, { at: at() })
  })

  it('messages, good and bad', async () => {
    const { key } = await createSite()
    for (const path of ['/v1/batch', '/v1/b'])
      await call('post', path, { body: { writeKey: key, batch: [track, { type: 'track' }, 5] } })
    await call('post', '/v1/t', { body: { ...track, writeKey: key } })
  })

  it('preview links', async () => {
    const { key, at } = await createSite()
    const path = `${SITE}/preview-links`
    const body = { as: { anonymousId: 'v' }, url: 'https://shop.example/?a=b' }
    const { token, url } = (await call('post', path, { at: at('/preview-links'), body })) as Record<string, string>
    expect(url).toBe(`https://shop.example/?a=b&slotstream_preview=${token}`)
    await call('post', path, { at: at('/preview-links'), body: {}, status: 400 })
    const ask = { writeKey: key, anonymousId: 'v', slots: [{ id: 's' }] }
    await call('post', '/v1/slots', { body: { ...ask, preview: token } })
    await call('post', '/v1/slots', { body: { ...ask, preview: `${token}x` }, status: 403 })
  })

  it('the tracking plan, what breaks it, and its replay', async () => {
    const { key, at } = await createSite()
    const plan = { mode: 'enforce', schemas: { E: { '1-0-0': { type: 'object', required: ['price'] } } } }
    await call('put', `${SITE}/plan`, { at: at('/plan'), body: plan })
    await call('post', '/v1/batch', { body: { writeKey: key, batch: [track] } })
    await call('put', `${SITE}/plan/mode`, { at: at('/plan/mode'), body: { mode: 'warn' } })
    await call('post', '/v1/batch', { body: { writeKey: key, batch: [track] } })
    await call('get', `${SITE}/plan`, { at: at('/plan') })
    const messages = [track, { type: 'track', messageId: 'm' }].map(message => ({
      message,
      receivedAt: '2026-01-01T00:00:00.000Z',
    }))
    await call('post', `${SITE}/rejected/replay`, { at: at('/rejected/replay'), body: { messages } })
    await call('post', `${SITE}/rejected/replay`, { at: at('/rejected/replay'), body: { messages: [{}] }, status: 400 })
    await call('delete', `${SITE}/plan`, { at: at('/plan') })
  })

  it('features, patterns and segments', async () => {
    const { at } = await createSite()
    const feature = {
      name: 'views',
      source: { event: 'Product Viewed' },
      aggregate: 'count',
      by: 'properties.category',
    }
    const sequence = [{ event: 'Product Added' }, { not: { event: 'Order Completed' }, within: '30m' }]
    for (const [kind, item] of [
      ['features', feature],
      ['patterns', { name: 'left-cart', sequence }],
      ['segments', { name: 'campers', where: { 'traits.hobby': 'camp' } }],
    ] as const) {
      const path = `${SITE}/${kind}`
      await call('get', path, { at: at(`/${kind}?builtin=1`) })
      const { revision } = (await call('put', path, { at: at(`/${kind}`), body: { [kind]: [item] } })) as {
        revision: number
      }
      await call('put', path, { at: at(`/${kind}`), body: { [kind]: [] } })
      await call('get', `${path}/history`, { at: at(`/${kind}/history`) })
      await call('get', `${path}/history/{revision}`, { at: at(`/${kind}/history/${revision}`) })
      await call('get', `${path}/history/{revision}`, { at: at(`/${kind}/history/0`), status: 404 })
      await call('post', `${path}/rollback`, { at: at(`/${kind}/rollback`), body: { revision } })
      await call('put', path, { at: at(`/${kind}`), body: { [kind]: [{}] }, status: 400 })
      await call('put', path, { at: at(`/${kind}`), body: { [kind]: [], revision: 0 }, status: 409 })
    }
  })

  it('slots', async () => {
    const { key, at } = await createSite()
    await call('put', `${SITE}/slots/{id}`, { at: at('/slots/hero'), body: {} })
    const batches = [{ batch: [track] }, {}]
    const body = { writeKey: key, anonymousId: 'v', slots: [{ id: 'hero' }], batches }
    await call('post', '/v1/slots', { body })
  })

  it('the deletion of a person, and an export that no aggregator answers', async () => {
    const { at } = await createSite()
    const people = `${SITE}/people/{id}`
    const { jobId } = (await call('delete', people, { at: at('/people/v'), status: 202 })) as { jobId: string }
    await call('get', '/v1/admin/jobs/{jobId}', { at: `/v1/admin/jobs/${jobId}` })
    await call('get', '/v1/admin/jobs/{jobId}', { at: '/v1/admin/jobs/none', status: 404 })
    await call('delete', people, { at: at('/people/v?as=email'), status: 400 })
    await call('get', people, { at: at('/people/v'), status: 503 })
  })

  it('settings, health and readiness', async () => {
    const { key } = await createSite()
    await call('get', '/v1/projects/{writeKey}/settings', { at: `/v1/projects/${key}/settings` })
    await call('get', '/healthz')
    await call('get', '/readyz')
  })

  it('webhooks', async () => {
    const { at } = await createSite()
    const path = `${SITE}/webhooks`
    const url = 'https://example.com/hook'
    const { id } = (await call('post', path, {
      at: at('/webhooks'),
      body: { url, signals: ['cart_abandonment'] },
    })) as Webhook
    await call('post', path, { at: at('/webhooks'), body: { url: 7 }, status: 400 })
    expect(await call('get', path, { at: at('/webhooks') })).toMatchObject({ webhooks: [{ id, url }] })
    // No aggregator runs beside this collector.
    await call('get', `${path}/{webhookId}/deliveries`, { at: at(`/webhooks/${id}/deliveries`), status: 503 })
    await call('post', `${path}/{webhookId}/replay`, { at: at(`/webhooks/${id}/replay`), body: {}, status: 503 })
    await call('delete', `${path}/{webhookId}`, { at: at(`/webhooks/${id}`) })
    await call('delete', `${path}/{webhookId}`, { at: at(`/webhooks/${id}`), status: 404 })
  })

  it('errors', async () => {
    await call('post', '/v1/batch', { status: 400, body: '{' })
    await call('post', '/v1/slots', { status: 401, body: {} })
    const secrets = { secretKeys: ['sk_live_of_errors_0123456789'], identitySecret: 'identity-secret-0123456789' }
    const { key, at } = await createSite(secrets)
    const person = { writeKey: key, userId: 'u', slots: [{ id: 'hero' }] }
    await call('post', '/v1/slots', { status: 403, body: person })
    await call('post', '/v1/identify', { status: 403, body: person })
    await call('put', SITE, { at: at(), status: 400, body: {} })
    await call('put', SITE, { at: '/v1/admin/sites/other', status: 409, body: { writeKeys: [key] } })
    // No aggregator runs beside this collector.
    await call('get', `${SITE}/profiles/{visitorId}`, { at: at('/profiles/nobody'), status: 503 })
    const visitors = ['nobody']
    await call('post', `${SITE}/profiles:batch`, { at: at('/profiles:batch'), body: { visitors }, status: 503 })
    await call('delete', `${SITE}/slots/{id}`, { at: at('/slots/none'), status: 404 })
    await call('post', '/v1/batch', { status: 413, body: 'x'.repeat(600_000) })
  })
})

describe('the requests that the collector takes are as described:', () => {
  it.each([
    ['Batch', { batch: [track, { ...track, userId: 5, messageId: null }], sentAt: '2026-01-31T12:00:00.000Z' }, true],
    ['Batch', { messages: [] }, false],
    ['Batch', { batch: [{ type: 'nonsense' }] }, false],
    ['SlotsRequest', { anonymousId: 'v', slots: [{ id: 'hero', count: 3 }], after: 5 }, true],
    ['SlotsRequest', { slots: [{ id: 'hero' }] }, false],
    ['SlotsRequest', { anonymousId: 'v', slots: [{ id: 'hero', count: 0 }] }, false],
    ['Slot', { policy: { type: 'ensemble', policies: [{ share: 1, policy: { type: 'thompson' } }] } }, true],
    ['Slot', { policy: { type: 'thompson', contentIds: [] } }, false],
    ['Slot', { rewards: [{ event: 'Order Completed', value: 'properties.total', windowHours: 24 }] }, true],
    ['Slot', { campaigns: [{ id: 'c', contentIds: [], mode: 'pin' }] }, false],
    ['Content', { slots: [], caps: [{ count: 1, per: '24h' }], stock: 0, attributes: { a: [1] } }, true],
    ['Content', { slots: [], caps: [{ count: 1, per: '2h' }] }, false],
    ['Site', { writeKeys: ['shop'], enrichment: { idCookie: 'shop.example' } }, true],
    ['Site', { writeKeys: [] }, false],
    ['Site', { writeKeys: ['shop'], secretKeys: ['sk_live_0123456789'], identitySecret: true }, true],
    ['Site', { writeKeys: ['shop'], secretKeys: null, identitySecret: null, allowedOrigins: null }, true],
    ['Site', { writeKeys: ['shop'], secretKeys: ['short'] }, false],
    ['SlotsRequest', { anonymousId: 'v', userId: 'u', signature: '0a', slots: [{ id: 'hero' }] }, true],
  ])('%s %j: %s', (name, value, isValid) => {
    expect(ajv.getSchema(`api#/components/schemas/${name}`)?.(value)).toBe(isValid)
  })
})
