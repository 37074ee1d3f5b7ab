import { startProfiles } from '@slotstream/aggregator'
import { type DecisionEnvelope, keyToken } from '@slotstream/protocol'
import { createMetrics, createPublisher } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import {
  type Answer,
  admin,
  installation,
  log,
  nats,
  newId,
  post,
  streamOf,
  url,
  withCollector,
} from '../support/collector-api.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'

withCollector()

describe('the admin routes', () => {
  it('let nobody in without the token', async () => {
    for (const headers of [{}, { Authorization: 'Bearer wrong' }] as Record<string, string>[]) {
      const response = await fetch(`${url}/v1/admin/sites`, { headers })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } })
    }
  })

  it('make, list and delete sites, live', async () => {
    const made = await admin('PUT', '/sites/new', { name: 'New', writeKeys: ['new-key'] })
    expect(made).toMatchObject({ status: 200, body: { siteId: 'new', name: 'New', allowedOrigins: [] } })
    expect((await post('/v1/batch', { writeKey: 'new-key', batch: [] })).status).toBe(200)
    expect((await installation.buckets.sites.get('new'))?.json()).toEqual(made.body)
    expect(await admin('GET', '/sites')).toMatchObject({
      body: { sites: [{ siteId: 'new' }, { siteId: 'shop' }, { siteId: 'strict' }] },
    })
    expect((await admin('DELETE', '/sites/new')).status).toBe(200)
    expect((await post('/v1/batch', { writeKey: 'new-key', batch: [] })).status).toBe(401)
  })

  it('see what another collector or a script wrote', async () => {
    const site = { siteId: 'far', name: 'far', writeKeys: ['far-key'], allowedOrigins: ['*'], debug: false }
    await installation.buckets.sites.put('far', JSON.stringify(site))
    const send = () => post('/v1/batch', { writeKey: 'far-key', batch: [] })
    await until('the key is known', send, ({ status }) => status === 200)
    await installation.buckets.sites.delete('far')
    await until('the key is unknown', send, ({ status }) => status === 401)
  })

  it('refuse what is wrong, and a write key twice', async () => {
    expect(await admin('PUT', '/sites/Bad.Id', { writeKeys: ['x'] })).toMatchObject({ status: 400 })
    expect(await admin('PUT', '/sites/good', {})).toMatchObject({ status: 400 })
    expect(await admin('PUT', '/sites/thief', { writeKeys: ['shop'] })).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict' } },
    })
    expect(await admin('GET', '/sites/nobody/catalog')).toMatchObject({ status: 404 })
  })

  it('keep the catalog', async () => {
    await admin('PUT', '/sites/cat', { writeKeys: ['cat'] })
    expect(await admin('GET', '/sites/cat/catalog')).toEqual({
      status: 200,
      body: { revision: 0, slots: [], content: [] },
    })
    const slot = { id: 'a slot/1', policy: { type: 'random' }, count: 2, holdout: 0 }
    expect((await admin('PUT', `/sites/cat/slots/${encodeURIComponent(slot.id)}`, slot)).body).toEqual(slot)
    const shoe = await admin('PUT', '/sites/cat/content/shoe', { slots: [slot.id] })
    expect(shoe).toMatchObject({ status: 200, body: { id: 'shoe' } })
    const entry = await installation.buckets.catalog.get(`cat.slot.${keyToken(slot.id)}`)
    expect(entry?.json()).toEqual(slot)
    const bulk = { slots: [{ id: 'hero' }], content: [{ id: 'hat', slots: ['hero'], payload: { title: 'Hat' } }] }
    expect((await admin('POST', '/sites/cat/catalog', bulk)).body).toEqual({ revision: 3, slots: 1, content: 1 })
    const { body } = await admin('GET', '/sites/cat/catalog')
    expect(body).toMatchObject({ slots: [slot, { id: 'hero' }], content: [{ id: 'hat' }, { id: 'shoe' }] })
    expect((await admin('DELETE', '/sites/cat/content/shoe')).status).toBe(200)
    expect((await admin('DELETE', '/sites/cat/content/shoe')).status).toBe(404)
    expect((await admin('DELETE', `/sites/cat/slots/${encodeURIComponent(slot.id)}`)).status).toBe(200)
    expect((await admin('GET', '/sites/cat/catalog')).body).toMatchObject({
      slots: [{ id: 'hero' }],
      content: [{ id: 'hat' }],
    })
    await admin('DELETE', '/sites/cat')
    expect((await installation.buckets.catalog.get('cat.slot.hero'))?.operation).not.toBe('PUT')
  })

  it('store nothing of a catalog in which something is wrong, and say all that is', async () => {
    await admin('PUT', '/sites/wrong', { writeKeys: ['wrong'] })
    const bulk = { slots: [{ id: 'ok' }, { id: 'x', count: 0 }], content: [{ id: 'c', slots: 'hero' }] }
    const { status, body } = await admin('POST', '/sites/wrong/catalog', bulk)
    expect(status).toBe(400)
    expect((body as Answer).error.details).toEqual([
      expect.stringMatching(/^slots\[1\]: count/),
      expect.stringMatching(/^content\[0\]: slots/),
    ])
    expect((await admin('GET', '/sites/wrong/catalog')).body).toEqual({ revision: 0, slots: [], content: [] })
    await admin('DELETE', '/sites/wrong')
  })

  it('change nothing by omission: a PUT keeps origins and secrets, a PATCH keeps all', async () => {
    const path = '/sites/patched'
    const origins = ['https://shop.example']
    const made = {
      siteId: 'patched',
      writeKeys: ['patched'],
      allowedOrigins: origins,
      secretKeys: ['secret-0123456789'],
    }
    expect(await admin('PATCH', path, { debug: true })).toMatchObject({ status: 404 })
    await admin('PUT', path, { ...made, enrichment: { bots: false, ip: 'truncated' }, spread: ['backend'] })
    const changed = await admin('PATCH', path, {
      name: 'Shop',
      enrichment: { ip: null, location: false },
      spread: null,
    })
    const { writeKeys, secretKeyFingerprints } = changed.body as {
      writeKeys: string[]
      secretKeyFingerprints: string[]
    }
    expect(changed).toEqual({
      status: 200,
      body: {
        siteId: 'patched',
        name: 'Shop',
        writeKeys: ['patched'],
        secretKeyFingerprints: [expect.any(String)],
        allowedOrigins: origins,
        debug: false,
        enrichment: { bots: false, location: false },
      },
    })
    const put = await admin('PUT', path, { writeKeys, debug: true })
    expect(put.body).toMatchObject({ name: 'patched', allowedOrigins: origins, secretKeyFingerprints, debug: true })
    expect(put.body).not.toHaveProperty('enrichment')
    expect((await admin('PUT', path, put.body)).body).toEqual(put.body)
    await admin('DELETE', path)
  })

  it('refuse unknown fields, with what was probably meant', async () => {
    await admin('PUT', '/sites/typo', { writeKeys: ['typo'] })
    const bodies: [string, string, object, string][] = [
      ['PUT', '/sites/typo', { writeKeys: ['typo'], allowedOrigin: ['*'] }, 'did you mean allowedOrigins?'],
      ['PATCH', '/sites/typo', { privacySignal: 'honour' }, 'did you mean privacySignals?'],
      ['PATCH', '/sites/typo', { siteId: 'shop' }, 'siteId must be typo'],
      ['PUT', '/sites/typo/slots/hero', { holdOut: 0.1 }, 'did you mean holdout?'],
      ['PUT', '/sites/typo/content/sale', { slots: [], startAt: '2026-11-27' }, 'did you mean startsAt?'],
      ['PUT', '/sites/typo/content/sale', { slots: ['hero'] }, 'the site has no slot "hero"'],
      ['POST', '/sites/typo/catalog', { contents: [] }, 'did you mean content?'],
      ['POST', '/sites/typo/catalog', { content: [{ id: 'c', slots: [], endAt: '' }] }, 'content[0]: endAt is unknown'],
      ['PUT', '/sites/typo/plan', { schemas: {}, modes: 'warn' }, 'did you mean mode?'],
      ['PUT', '/sites/typo/plan/mode', { mode: 'warn', unplaned: 'allow' }, 'did you mean unplanned?'],
      ['POST', '/sites/typo/rejected/replay', { messages: [], dryrun: true }, 'did you mean dryRun?'],
      ['POST', '/sites/typo/decisions/import', { decision: [] }, 'did you mean decisions?'],
    ]
    for (const [method, path, body, reason] of bodies) {
      const answer = await admin(method, path, body)
      expect([path, answer.status, (answer.body as Answer).error?.message]).toEqual([
        path,
        400,
        expect.stringContaining(reason),
      ])
    }
    expect((await admin('GET', '/sites/typo/catalog')).body).toEqual({ revision: 0, slots: [], content: [] })
    await admin('DELETE', '/sites/typo')
  })

  it('show a profile as the owner of its partition has it, and say what is missing without one', async () => {
    const unowned = await admin('GET', '/sites/shop/profiles/user:42')
    expect(unowned.status).toBe(503)
    expect((unowned.body as Answer).error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no aggregator with the role profiles has partition'),
    })

    const publisher = createPublisher(nats)
    const metrics = createMetrics()
    const profiles = await startProfiles({ nats, publisher, installation, metrics, log, identity: someIdentity() })
    try {
      await post('/v1/track', {
        writeKey: 'shop',
        userId: '42',
        event: 'Product Viewed',
        properties: { category: 'hats' },
      })
      const shown = await until(
        'the event counts',
        () => admin('GET', '/sites/shop/profiles/user:42'),
        ({ status }) => status === 200,
      )
      const { seq, firstSeen, session } = (await profiles.profileOf('shop', 'user:42'))!
      expect(shown.body).toMatchObject({ seq, firstSeen, session, person: { id: '42', userId: '42', browsers: [] } })
      expect(shown.body).toMatchObject({ siteId: 'shop', visitorId: 'user:42', events: 1, affinities: { hats: 1 } })
      const unknown = await admin('GET', '/sites/shop/profiles/nobody')
      expect(unknown.status).toBe(404)
      expect((unknown.body as Answer).error.message).toBe('there is no profile of this visitor')
      expect((await admin('GET', `/sites/shop/profiles/${'v'.repeat(2_000)}`)).status).toBe(404)
    } finally {
      await profiles.stop()
      publisher.close()
    }
  })

  it('import decisions with their times, once', async () => {
    const visitor = newId('v')
    const timestamp = '2019-11-24T00:00:01.000Z'
    const decisions = [
      {
        decisionId: 'i1',
        slotId: 's',
        anonymousId: visitor,
        timestamp,
        contentIds: ['7'],
        propensities: [0.1],
        position: 2,
      },
      { decisionId: 'i2', slotId: 's', anonymousId: visitor, timestamp },
      { decisionId: 'i3', slotId: 's', anonymousId: visitor },
    ]
    const first = await admin('POST', '/sites/shop/decisions/import', { decisions })
    expect(first).toMatchObject({
      status: 200,
      body: { imported: 2, rejected: [{ decisionId: 'i3', index: 2, reason: expect.stringContaining('timestamp') }] },
    })
    expect((await admin('POST', '/sites/shop/decisions/import', { decisions })).body).toEqual(first.body)
    const stored = (await streamOf<DecisionEnvelope>('DECISIONS')).filter(({ visitorId }) => visitorId === visitor)
    expect(stored.map(({ decisions: kept }) => kept)).toMatchObject([
      [{ decisionId: 'i1', timestamp, position: 2, propensities: [0.1], policy: 'imported' }, { decisionId: 'i2' }],
    ])
  })
})
