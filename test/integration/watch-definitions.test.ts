import { type DefinitionKind, MAX_DEFINITIONS } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DefinitionsWatch,
  type SiteDefinitions,
  watchDefinitions,
} from '#aggregator/profiles/definitions/watch-definitions.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

const log = createLog('test')

let broker: Awaited<ReturnType<typeof startBroker>>
let collector: string
let watch: DefinitionsWatch | undefined

beforeAll(async () => {
  broker = await startBroker()
  collector = await broker.collector()
})
afterAll(() => broker?.stop())
afterEach(() => watch?.stop())

const VIEWS = { name: 'views', source: { event: 'Product Viewed' }, aggregate: 'count' }
const LEFT_CART = { name: 'left-cart', sequence: [{ event: 'A' }, { not: { event: 'B' }, within: '30m' }] }
const CAMPERS = { name: 'campers', where: { 'traits.hobby': 'camp' } }

async function admin(method: string, path: string, body?: object): Promise<{ revision: number }> {
  const response = await fetch(`${collector}/v1/admin/sites/${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as { revision: number }
}

/** Writes what anything that may publish could write. */
const plant = (key: string, value: string) => broker.nats.js.publish(`$KV.definitions.${key}`, value)

/** Begins a watch, and records what it tells. */
async function begin(): Promise<{ told: string[]; of: (siteId: string) => SiteDefinitions }> {
  const told: string[] = []
  const begun = await watchDefinitions(
    broker.nats,
    broker.installation.buckets.definitions,
    (siteId, { features, patterns, segments }) =>
      told.push(`${siteId} ${[features, patterns, segments].map(({ items }) => items.length).join(' ')}`),
    log,
  )
  watch = begun
  return { told, of: begun.of }
}

const names = (definitions: SiteDefinitions, kind: DefinitionKind) => definitions[kind].items.map(({ name }) => name)

describe('a watch of definitions', () => {
  it('tells what is there at once, then every change, and the end of a site', async () => {
    await putSite(collector, 'there')
    const { revision } = await admin('PUT', 'there/features', { features: [VIEWS] })
    const { told, of } = await begin()
    expect(told).toEqual(['there 1 0 0'])
    expect(of('there').features).toEqual({
      revision,
      addedIn: { views: 1 },
      at: expect.stringMatching(/^\d{4}-/),
      items: [VIEWS],
    })
    expect(of('other').features).toEqual({ revision: 0, at: '', items: [] })

    await putSite(collector, 'other')
    await admin('PUT', 'other/patterns', { patterns: [LEFT_CART] })
    await admin('PUT', 'there/segments', { segments: [CAMPERS] })
    await admin('PUT', 'there/features', { features: [VIEWS, { ...VIEWS, name: 'more' }] })
    await admin('DELETE', 'there')
    await until(
      'the end of the site is told',
      () => told,
      lines => lines.at(-1) === 'there 0 0 0',
    )
    expect(told.slice(1, 4)).toEqual(['other 0 1 0', 'there 1 0 1', 'there 2 0 1'])
    expect(names(of('there'), 'segments')).toEqual([])
    expect(names(of('other'), 'patterns')).toEqual(['left-cart'])
  })

  it('skips what cannot be used, and the last good set stays', async () => {
    await putSite(collector, 'good')
    const { revision } = await admin('PUT', 'good/features', { features: [VIEWS] })
    const { told, of } = await begin()
    const begun = told.length
    const many = Array.from({ length: MAX_DEFINITIONS.features + 1 }, (_, n) => ({ ...VIEWS, name: `n${n}` }))
    for (const value of [
      'not JSON',
      'null',
      '[]',
      '{}',
      '{"items":{}}',
      '{"items":[null]}',
      JSON.stringify({ items: [{ ...VIEWS, agregate: 'count' }] }),
      JSON.stringify({ items: [VIEWS, VIEWS] }),
      JSON.stringify({ items: many }),
      `{"items":[${'['.repeat(20_000)}${']'.repeat(20_000)}]}`,
      `{"items":[{"name":"a","aggregate":"count","source":{"event":"E","where":[${'['.repeat(9_000)}${']'.repeat(9_000)}]}}]}`,
    ])
      await plant('good.features', value)
    for (const key of ['good', 'good.neither', 'good.features.more', 'Not-A-Site.features'])
      await plant(key, JSON.stringify({ items: [VIEWS] }))
    await admin('PUT', 'good/segments', { segments: [CAMPERS] })
    await until(
      'a later change is told',
      () => told.slice(begun),
      lines => lines.length > 0,
    )
    expect(told.slice(begun)).toEqual(['good 1 0 1'])
    expect(of('good').features).toMatchObject({ revision, items: [VIEWS] })
    // The next one that can be used takes its place.
    await admin('PUT', 'good/features', { features: [{ ...VIEWS, name: 'next' }] })
    await until(
      'it is there',
      () => names(of('good'), 'features'),
      found => found[0] === 'next',
    )
  })

  it('that is begun again tells nothing twice', async () => {
    await putSite(collector, 'again')
    await admin('PUT', 'again/features', { features: [VIEWS] })
    const { told } = await begin()
    const begun = told.length
    watch?.renew()
    await admin('PUT', 'again/segments', { segments: [CAMPERS] })
    await until(
      'the change is told',
      () => told.slice(begun),
      lines => lines.length > 0,
    )
    expect(told.slice(begun)).toEqual(['again 1 0 1'])
  })
})
