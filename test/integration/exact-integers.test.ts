import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSystem } from '../support/system.js'
import { until } from '../support/until.js'

/** Two numbers that are one to JavaScript, each written as a number of JSON. */
const [ONE, OTHER] = ['175928847299117063', '175928847299117064']

const SLOT = '{"id":"exact","policy":{"type":"random"},"count":10}'

let system: Awaited<ReturnType<typeof startSystem>>

beforeAll(async () => {
  system = await startSystem()
  await call('POST', '/v1/admin/sites/demo/catalog', `{"slots":[${SLOT}]}`)
  await put(
    '/sites/demo/features',
    '{"features":[{"name":"lastAccount","source":{"event":"Opened"},"aggregate":"last","value":"properties.account"}]}',
  )
  await put(
    '/sites/demo/segments',
    `{"segments":[{"name":"of-one","where":{"traits.account":${ONE}}},{"name":"of-other","where":{"traits.account":${OTHER}}}]}`,
  )
  const where = (condition: string) => `"slots":["exact"],"where":${condition}`
  for (const [id, condition] of [
    ['trait-one', `{"traits.account":${ONE}}`],
    ['trait-other', `{"traits.account":${OTHER}}`],
    ['feature-one', `{"features.lastAccount":${ONE}}`],
    ['feature-other', `{"features.lastAccount":{"$in":[${OTHER}]}}`],
    ['context-one', `{"context.account":{"$eq":${ONE}}}`],
    ['context-other', `{"context.account":{"$eq":${OTHER}}}`],
    ['more', `{"context.account":{"$gt":${ONE}}}`],
    ['segment-one', '{"segments":{"$elemMatch":{"$eq":"of-one"}}}'],
    ['segment-other', '{"segments":{"$elemMatch":{"$eq":"of-other"}}}'],
  ] as const)
    await put(`/sites/demo/content/${id}`, `{"payload":{"sku":${ONE}},${where(condition)}}`)
}, 300_000)

afterAll(() => system?.stop())

async function call(method: string, path: string, body: string): Promise<{ text: string; answer: unknown }> {
  const response = await fetch(`${system.collectorUrl}${path}`, {
    method,
    headers: { Authorization: `Bearer ${system.adminToken}`, 'Content-Type': 'application/json' },
    body,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return { text, answer: JSON.parse(text) }
}

const put = (path: string, body: string) => call('PUT', `/v1/admin${path}`, body)

/** Sends messages of a visitor, whose account is this number, and asks the slot. */
async function ask(visitor: string, account: string): Promise<{ text: string; shown: string[] }> {
  const at = `"anonymousId":"${visitor}","timestamp":"${new Date().toISOString()}"`
  const batch = `[{"type":"identify","messageId":"${visitor}-1","traits":{"account":${account}},${at}},
    {"type":"track","event":"Opened","messageId":"${visitor}-2","properties":{"account":${account}},${at}}]`
  const { text, answer } = await call(
    'POST',
    '/v1/slots?writeKey=demo',
    `{"anonymousId":"${visitor}","slots":[{"id":"exact"}],"context":{"account":${account}},"batch":${batch}}`,
  )
  const [decision] = (answer as { decisions: { items: { contentId: string }[] }[] }).decisions
  return { text, shown: decision!.items.map(item => item.contentId).sort() }
}

describe('whole numbers beyond 2^53', () => {
  it('of a visitor meet the conditions on the same number, and on no other', async () => {
    await until(
      'the definitions are in effect',
      () => ask('first', ONE),
      ({ shown }) => shown.length === 4,
    )
    const { shown, text } = await ask('one', ONE)
    expect(shown).toEqual(['context-one', 'feature-one', 'segment-one', 'trait-one'])
    expect(text).toContain(`"sku":"${ONE}"`)
    expect((await ask('other', OTHER)).shown).toEqual([
      'context-other',
      'feature-other',
      'more',
      'segment-other',
      'trait-other',
    ])
  })

  it('have all their digits in SQL', async () => {
    const sql = `SELECT toString(traits.account) AS trait, toString(properties.account) AS property
      FROM slotstream.events WHERE anonymous_id = 'other' ORDER BY batch_index`
    const rows = await until(
      'the events are loaded',
      () => system.query(sql),
      found => found.length === 2,
    )
    expect(rows).toEqual([
      { trait: OTHER, property: '' },
      { trait: '', property: OTHER },
    ])
  })

  it('are told apart by decision tests', async () => {
    const test = (account: string, content: string) =>
      `{"given":{"profile":{"traits":{"account":${account}}}},"slot":"exact","expect":{"anyOf":["${content}","segment-one"]}}`
    const withTest = (tests: string) =>
      call('POST', '/v1/admin/sites/demo/catalog', `{"slots":[${SLOT}],"tests":[${tests}]}`)
    await withTest(test(ONE, 'trait-one'))
    await expect(withTest(test(OTHER, 'trait-one'))).rejects.toThrow('trait-other')
  })
})
