import { type BuiltInFeature, type Features, featureValues } from '@slotstream/core'
import { type EventEnvelope, type Profile, partitionOf, streamSubject } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuildProfiles } from '#aggregator/commands/rebuild/rebuild-profiles.js'
import { noteBuiltIn } from '#aggregator/profiles/definitions/built-in-edition.js'
import { createSitesDefinitions } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { watchDefinitions } from '#aggregator/profiles/definitions/watch-definitions.js'
import { ALL_BUILT_IN_FEATURES } from '#core/features/default-features.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { type Owner, startOwner } from '../support/profiles-owner.js'
import { until } from '../support/until.js'

const PARTITIONS = 4
const VISITORS = 40
/** One that declares nothing, and one that does. */
const SITES = ['plain', 'busy']

/** Those of an earlier release: one was not there yet, and one counted something else. */
const EARLIER: BuiltInFeature[] = ALL_BUILT_IN_FEATURES.filter(({ name }) => name !== 'page_views').map(feature =>
  feature.name === 'recent_products' ? { ...feature, source: { event: 'Product Viewed' } } : feature,
)

const log = createLog('test')
log.level = 'silent'

let broker: Awaited<ReturnType<typeof startBroker>>
let collector: string
let owner: Owner
let sent = 0

beforeAll(async () => {
  broker = await startBroker({ PARTITIONS: String(PARTITIONS) })
  collector = await broker.collector()
  for (const site of SITES) await putSite(collector, site)
  await admin('PUT', '/sites/busy/features', {
    features: [{ name: 'added', source: { event: 'Product Added' }, aggregate: 'count' }],
  })
})
afterAll(async () => {
  await owner?.stop()
  await broker?.stop()
})

async function admin(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${collector}/v1/admin${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

const start = (name: string, builtIn?: readonly BuiltInFeature[]) =>
  startOwner(broker.url, name, PARTITIONS, () => ({ ...(builtIn && { builtIn }) }))

function envelopeOf(siteId: string, n: number): EventEnvelope {
  const visitorId = `v${n % VISITORS}`
  const timestamp = new Date(Date.now() - 3_600_000 + n * 100).toISOString()
  const page = { type: 'page' as const }
  const added = { type: 'track' as const, event: n % 3 === 1 ? 'Product Added' : 'Product Viewed' }
  const message = {
    ...{ messageId: `m${n}`, anonymousId: visitorId, timestamp, context: {} },
    ...(n % 3 === 0 ? page : added),
    properties: { product_id: `p${n % 7}`, category: `c${n % 4}` },
  }
  return { siteId, visitorId, receivedAt: timestamp, messages: [message] }
}

/** Publishes messages to both sites, and waits until they are applied. */
async function publish(count: number): Promise<void> {
  const end = sent + count
  for (; sent < end; sent++)
    for (const site of SITES) {
      const envelope = envelopeOf(site, sent)
      const subject = streamSubject('events', partitionOf(site, envelope.visitorId, PARTITIONS))
      await broker.nats.js.publish(subject, JSON.stringify(envelope))
    }
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const subject = streamSubject('events', partition)
    const last = await broker.nats.manager.streams.getMessage('EVENTS', { last_by_subj: subject })
    expect(await owner.profiles.waitFor(partition, last?.seq ?? 0, 60_000)).toBe(true)
  }
}

interface Value {
  value: unknown
  filling?: true
  since?: number
}

const valuesOf = async (site: string, visitorId: string) =>
  ((await admin('GET', `/sites/${site}/profiles/${visitorId}`)) as { features: Record<string, Value> }).features

const isWhole = (values: Record<string, Value>) =>
  Object.values(values).every(({ filling, since }) => !filling && since === undefined)

/** Values of all features of all visitors. */
async function valuesOfAll(of: (siteId: string) => Features, at: number): Promise<unknown[]> {
  const ids = Array.from({ length: VISITORS }, (_, visitor) => `v${visitor}`)
  const read = (site: string) =>
    until(
      'all profiles',
      () => Promise.all(ids.map(id => owner.profiles.profileOf(site, id))),
      found => found.every(profile => profile?.features !== undefined),
    ) as Promise<Profile[]>
  const values: unknown[] = []
  for (const site of SITES)
    for (const { visitorId, features } of await read(site))
      values.push([site, visitorId, [...featureValues(features!, of(site), at)]])
  return values
}

describe('built-in features of a release', () => {
  it('count from the start where there were never others', async () => {
    owner = await start('earlier', EARLIER)
    await publish(400)
    for (const site of SITES) {
      const values = await valuesOf(site, 'v3')
      expect(isWhole(values)).toBe(true)
      expect(values).not.toHaveProperty('page_views')
    }
    await owner.stop()
  })

  it('have their history after an upgrade, when they are new or others', async () => {
    owner = await start('later')
    await publish(100)
    for (const site of SITES) {
      const values = await until(
        `${site} has their history`,
        () => valuesOf(site, 'v3'),
        values => isWhole(values),
      )
      const pages = Array.from({ length: sent }, (_, n) => n).filter(n => n % VISITORS === 3 && n % 3 === 0)
      expect(values.page_views!.value).toBe(pages.length)
    }
    expect(await admin('GET', '/sites/plain/features/page_views/explain')).not.toHaveProperty('filling')
  })

  it('hold what a rebuild gives', async () => {
    const bucket = broker.installation.buckets.definitions
    const definitions = createSitesDefinitions(log, await noteBuiltIn(bucket))
    const watching = await watchDefinitions(broker.nats, bucket, definitions.set, log)
    const at = Date.now()
    await until('all of it is there', () => valuesOf('busy', 'v39'), isWhole)
    const before = await valuesOfAll(siteId => definitions.of(siteId).features, at)
    const ofAll = { ...definitions, siteIds: () => SITES }
    expect(await rebuildProfiles({ ...owner, definitions: ofAll, print: () => {} })).toBe(1)
    watching.stop()
    await until(
      'the other generation answers',
      async () => /^slotstream_profiles_generation 1$/m.test(await owner.metrics.registry.metrics()),
      isSwitched => isSwitched,
    )
    expect(await valuesOfAll(siteId => definitions.of(siteId).features, at)).toEqual(before)
  })

  it('are not counted again by a process that starts, and count what came while a set had switched one off', async () => {
    await owner.stop()
    owner = await start('again')
    const counted = async () =>
      Number(/^slotstream_profiles_fill_messages_total (\d+)/m.exec(await owner.metrics.registry.metrics())?.[1] ?? 0)
    await until('it has looked', () => valuesOf('plain', 'v3'), isWhole)
    expect(await counted()).toBe(0)
    const { revision } = (await admin('PUT', '/sites/plain/features', {
      features: [{ name: 'page_views', off: true }],
    })) as { revision: number }
    await until(
      'it is off',
      () => valuesOf('plain', 'v3'),
      values => !values.page_views,
    )
    await publish(200)
    await admin('PUT', '/sites/plain/features', { revision, features: [] })
    const values = await until(
      'it is on',
      () => valuesOf('plain', 'v3'),
      values => values.page_views !== undefined && isWhole(values),
    )
    const pages = Array.from({ length: sent }, (_, n) => n).filter(n => n % VISITORS === 3 && n % 3 === 0)
    expect(values.page_views!.value).toBe(pages.length)
  })
})
