import { Analytics } from '@segment/analytics-node'
import { type EventEnvelope, type RejectedEnvelope, SENDERS } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStoreSite } from '#collector/admin/sites/store-site.js'
import { createSiteBucket } from '#collector/keys/site-bucket.js'
import { warningOfOpenSites } from '#collector/keys/warn-open-sites.js'
import { createSites } from '#collector/sites.js'
import { createReport } from '#supervisor/report.js'
import { supervisorSettings } from '#supervisor/settings.js'
import { putSite, readAll, startBroker } from '../support/collector.js'

const SECRET = 'sk_live_0123456789abcdef'
const OTHER = 'sk_next_0123456789abcdef'
const DAY_MS = 24 * 60 * 60 * 1000

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop', { secretKeys: [SECRET] })
  await putSite(url, 'open')
})
afterAll(() => broker?.stop())

const basic = (key: string) => ({ Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` })

async function post(path: string, key: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...basic(key), ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Answer }
}
interface Answer {
  accepted?: number
  rejected?: { code: string; messageId: string }[]
  error?: { code: string; message: string }
}

async function admin(method: string, path: string, body?: object) {
  const response = await fetch(`${url}/v1/admin${path}`, {
    method,
    headers: { Authorization: 'Bearer secret' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

const track = (fields: object = {}) => ({ type: 'track', event: 'Order Completed', ...fields })
const last = async (stream = 'EVENTS') => (await readAll<EventEnvelope>(broker.nats, stream)).at(-1)!
const storedSite = async (siteId: string) => (await broker.installation.buckets.sites.get(siteId))!.string()

describe('secret keys', () => {
  it('are kept as hashes, and shown to nobody', async () => {
    const identitySecret = 'identity-secret-0123456789'
    const put = await admin('PUT', '/sites/kept', {
      writeKeys: ['kept'],
      secretKeys: [`${SECRET}-kept`],
      identitySecret,
    })
    const list = await admin('GET', '/sites')
    const settings = await fetch(`${url}/v1/projects/kept/settings`)
    for (const text of [put.text, list.text, await settings.text()]) {
      expect(text).not.toContain(SECRET)
      expect(text).not.toContain(identitySecret)
      expect(text).not.toContain('secretKeyHashes')
    }
    expect(JSON.parse(put.text)).toMatchObject({ secretKeyFingerprints: [expect.any(String)], identitySecret: true })
    expect(await storedSite('kept')).not.toContain(SECRET)
    // The fingerprint is no key, and the hash is none either.
    const [hash] = JSON.parse(await storedSite('kept')).secretKeyHashes
    for (const key of [hash, hash.slice(0, 8)])
      expect((await post('/v1/track', key, track({ userId: 'u' }))).status).toBe(401)
    expect((await fetch(`${url}/v1/projects/${SECRET}/settings`)).status).toBe(401)
  })

  it('stay when a site is changed without naming them, and go when they are set to null or []', async () => {
    const keys = { secretKeys: [`${SECRET}-a`], identitySecret: 'identity-secret-0123456789' }
    await putSite(url, 'kept', { writeKeys: ['kept'], allowedOrigins: ['https://shop.example'], ...keys })
    const before = JSON.parse(await storedSite('kept'))
    await putSite(url, 'kept', { writeKeys: ['kept'], debug: true })
    expect(JSON.parse(await storedSite('kept'))).toEqual({ ...before, debug: true })
    // What GET shows can be sent back.
    const { sites } = JSON.parse((await admin('GET', '/sites')).text) as { sites: { siteId: string }[] }
    await putSite(
      url,
      'kept',
      sites.find(({ siteId }) => siteId === 'kept'),
    )
    expect(JSON.parse(await storedSite('kept'))).toEqual({ ...before, debug: true })
    await putSite(url, 'kept', { writeKeys: ['kept'], secretKeys: [], identitySecret: null, allowedOrigins: null })
    const after = JSON.parse(await storedSite('kept'))
    expect(after).toMatchObject({ allowedOrigins: ['*'] })
    expect(after).not.toHaveProperty('secretKeyHashes')
    expect(after).not.toHaveProperty('identitySecret')
    expect((await post('/v1/track', `${SECRET}-a`, track({ userId: 'u' }))).status).toBe(401)
  })

  it('are in no message that a server puts them into, stored or rejected', async () => {
    const body = {
      writeKey: SECRET,
      batch: [track({ userId: 'u', writeKey: SECRET }), { type: 'odd', writeKey: SECRET }],
    }
    expect((await post('/v1/batch', SECRET, body)).body).toMatchObject({
      accepted: 1,
      rejected: [{ code: 'unknown_type' }],
    })
    await post('/v1/track', SECRET, track({ event: 5, writeKey: SECRET }))
    for (const stream of ['EVENTS', 'REJECTED']) {
      const { last_seq } = (await broker.nats.manager.streams.info(stream)).state
      expect(last_seq).toBeGreaterThan(0)
      for (let seq = 1; seq <= last_seq; seq++)
        expect((await broker.nats.manager.streams.getMessage(stream, { seq }))?.string()).not.toContain(SECRET)
    }
  })

  it('that are taken away do not come back by a change that was under way', async () => {
    await putSite(url, 'raced', { secretKeys: [`${SECRET}-raced`] })
    const bucket = createSiteBucket(broker.nats, broker.installation.buckets.sites)
    let isFirst = true
    /** The bucket, in which the keys are removed between another request's read and write. */
    const raced = {
      write: bucket.write,
      async read() {
        const found = await bucket.read()
        if (isFirst) await putSite(url, 'raced', { writeKeys: ['raced'], secretKeys: null })
        isFirst = false
        return found
      },
    }
    const site = await createStoreSite(raced, createSites())('raced', { writeKeys: ['raced'], name: 'renamed' })
    expect(site.name).toBe('renamed')
    expect(await storedSite('raced')).toContain('renamed')
    expect(await storedSite('raced')).not.toContain('secretKeyHashes')
  })

  it('do not go, nor do origins, when a patch comes as its site is deleted', async () => {
    const site = { writeKeys: ['deleted'], secretKeys: [`${SECRET}-deleted`], allowedOrigins: ['https://shop.example'] }
    await putSite(url, 'deleted', site)
    const bucket = createSiteBucket(broker.nats, broker.installation.buckets.sites)
    const raced = {
      write: bucket.write,
      async read() {
        await admin('DELETE', '/sites/deleted', undefined)
        return bucket.read()
      },
    }
    const patch = createStoreSite(raced, createSites())('deleted', { writeKeys: ['deleted'] }, 'patch')
    await expect(patch).rejects.toMatchObject({ code: 'not_found' })
    expect((await bucket.read()).entries.some(({ key, operation }) => key === 'deleted' && operation === 'PUT')).toBe(
      false,
    )
  })

  it.each([
    ['too short', ['short']],
    ['too long', ['x'.repeat(257)]],
    ['with a colon, where Basic ends a user name', ['with:a-colon-0123456789']],
    ['with a space', ['with a space 0123456789']],
    ['no list', SECRET],
    ['no texts', [{ key: SECRET }]],
  ])('%s are rejected', async (_what, secretKeys) => {
    expect((await admin('PUT', '/sites/bad', { writeKeys: ['bad'], secretKeys })).status).toBe(400)
  })

  it('belong to one site, and are no write keys', async () => {
    const refused = async (siteId: string, site: object) => (await admin('PUT', `/sites/${siteId}`, site)).status
    expect(await refused('thief', { writeKeys: ['thief'], secretKeys: [SECRET] })).toBe(409)
    expect(await refused('thief', { writeKeys: [SECRET] })).toBe(409)
    expect(await refused('thief', { writeKeys: [OTHER], secretKeys: [OTHER] })).toBe(400)
    await putSite(url, 'long-write-key', { writeKeys: ['a-long-public-write-key'] })
    expect(await refused('thief', { writeKeys: ['thief'], secretKeys: ['a-long-public-write-key'] })).toBe(409)
    expect(await refused('shop', { writeKeys: ['shop', SECRET] })).toBe(400)
  })

  it('are taken wherever a write key is, and nothing of them is stored', async () => {
    for (const send of [
      () => post('/v1/track', SECRET, track({ userId: 'u' })),
      () => post('/v1/batch', '', { writeKey: SECRET, batch: [track({ userId: 'u' })] }),
      () => post(`/v1/batch?writeKey=${SECRET}`, '', { batch: [track({ userId: 'u' })] }),
    ]) {
      expect(await send()).toMatchObject({ status: 200, body: { accepted: 1 } })
      expect(await last()).toMatchObject({ sender: 'secret', visitorId: 'user:u' })
    }
    expect(JSON.stringify(await readAll(broker.nats))).not.toContain(SECRET)
  })

  it('in a page are rejected, by a text that says what to do', async () => {
    for (const origin of ['https://shop.example', 'null']) {
      const answer = await post('/v1/track', SECRET, track({ userId: 'u' }), { Origin: origin })
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'secret_key_in_page' } } })
      expect(answer.body.error?.message).toContain('writeKeys')
      expect(
        (await post('/v1/slots', SECRET, { userId: 'u', slots: [{ id: 'hero' }] }, { Origin: origin })).status,
      ).toBe(403)
    }
  })
})

describe('a public key of a site with secret keys', () => {
  it('sends no userId without an anonymousId: the message is rejected and kept, the others are stored', async () => {
    const batch = [
      track({ messageId: 'order-1001', userId: 'bob' }),
      track({ messageId: 'm2', userId: 'bob', anonymousId: 'a' }),
      track({ messageId: 'm3', userId: 7, anonymousId: '' }),
      { type: 'alias', messageId: 'm4', userId: 'bob', previousId: 'a' },
    ]
    const { status, body } = await post('/v1/batch', 'shop', { batch })
    expect(status).toBe(200)
    expect(body.accepted).toBe(1)
    expect(body.rejected?.map(({ messageId, code }) => [messageId, code])).toEqual(
      ['order-1001', 'm3', 'm4'].map(id => [id, 'secret_key_required']),
    )
    const [kept] = (await readAll<RejectedEnvelope>(broker.nats, 'REJECTED')).slice(-1)
    expect(kept?.siteId).toBe('shop')
    expect(kept?.rejected.map(({ code }) => code)).toContain('secret_key_required')
  })

  it('is answered 403 where that is all there was, and where it asks for a person', async () => {
    const single = await post('/v1/identify', 'shop', { userId: 'bob' })
    expect(single).toMatchObject({ status: 403, body: { error: { code: 'secret_key_required' } } })
    const slots = await post('/v1/slots', 'shop', { userId: 'bob', slots: [{ id: 'hero' }] })
    expect(slots).toMatchObject({ status: 403, body: { error: { code: 'secret_key_required' } } })
    expect((await post('/v1/slots', SECRET, { userId: 'bob', slots: [{ id: 'hero' }] })).status).toBe(200)
  })

  it('has older times clamped to 30 days, marked, with the original kept; a secret one does not', async () => {
    const timestamp = new Date(Date.now() - 400 * DAY_MS).toISOString()
    const sentAt = new Date().toISOString()
    const recent = new Date(Date.now() - 29 * DAY_MS).toISOString()
    const send = (key: string, context?: object) =>
      post('/v1/batch', key, {
        sentAt,
        batch: [
          track({ anonymousId: 'a', timestamp, context }),
          track({ anonymousId: 'a', timestamp: recent, context: { timeClamped: true } }),
        ],
      })
    await send('shop')
    const envelope = await last()
    const [old, young] = envelope.messages
    expect(old).toMatchObject({ originalTimestamp: timestamp, context: { timeClamped: true } })
    expect(old?.timestamp).toBe(new Date(Date.parse(envelope.receivedAt) - 30 * DAY_MS).toISOString())
    expect(young?.context).not.toHaveProperty('timeClamped')
    expect(young?.timestamp.slice(0, 10)).toBe(recent.slice(0, 10))
    for (const key of [SECRET, 'open']) {
      await send(key, { timeClamped: true })
      const [message] = (await last()).messages
      expect(message?.timestamp.slice(0, 16)).toBe(timestamp.slice(0, 16))
      expect(message?.context).not.toHaveProperty('timeClamped')
    }
  })
})

describe('a site without secret keys', () => {
  it('works as before', async () => {
    expect(await post('/v1/track', 'open', track({ userId: 'bob' }))).toMatchObject({
      status: 200,
      body: { accepted: 1 },
    })
    expect((await last()).visitorId).toBe('user:bob')
    expect((await post('/v1/slots', 'open', { userId: 'bob', slots: [{ id: 'hero' }] })).status).toBe(200)
  })

  it('is named in the log once, with what it allows; the start says it of the demo site', () => {
    const said: unknown[][] = []
    const tell = warningOfOpenSites({ ...createLog('test'), warn: (...words: unknown[]) => said.push(words) } as never)
    const site = { siteId: 'open', name: '', writeKeys: ['open'], allowedOrigins: [], debug: false }
    for (const secretKeyHashes of [[], ['hash'], []]) tell({ ...site, secretKeyHashes })
    expect(said).toEqual([[{ siteId: 'open' }, expect.stringMatching(/userId.*secretKeys/)]])
    let text = ''
    createReport({ write: more => (text += more) }).allReady(supervisorSettings({}), 'token')
    expect(text).toMatch(/demo site has no secret keys.*secretKeys/s)
  })
})

describe('clients of servers', () => {
  it('such as Segment’s use the secret key and need no change', async () => {
    const analytics = new Analytics({ writeKey: SECRET, host: url, flushAt: 1 })
    const problems: unknown[] = []
    analytics.on('error', problem => problems.push(problem))
    analytics.track({ userId: 'segment-user', event: 'Order Completed', timestamp: new Date('2019-01-01') })
    await analytics.closeAndFlush()
    expect(problems).toEqual([])
    const envelope = await last()
    expect(envelope).toMatchObject({ sender: 'secret', visitorId: 'user:segment-user' })
    expect(envelope.messages[0]?.timestamp.slice(0, 4)).toBe('2019')
  })

  it('cannot say themselves what they are', async () => {
    for (const sender of SENDERS)
      await post('/v1/batch', 'shop', { sender, batch: [track({ anonymousId: 'a', sender, messageId: sender })] })
    for (const envelope of (await readAll(broker.nats)).slice(-SENDERS.length))
      expect(envelope.sender ?? 'public').toBe('public')
  })
})
