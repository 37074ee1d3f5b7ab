import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startWebhooks } from '@slotstream/aggregator'
import { partitionOf, type SignalEnvelope, streamSubject, webhookKey } from '@slotstream/protocol'
import { createLog, createMetrics, createPublisher } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { webhookSettings } from '#aggregator/settings.js'
import { createPublicLookup } from '#aggregator/webhooks/send/public-lookup.js'
import { createSender, type Sender } from '#aggregator/webhooks/send/send-request.js'
import { putUpCanaries } from '../support/canaries.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type Receiver, startReceiver } from '../support/webhook-receiver.js'

const log = createLog('test')
log.level = 'silent'

let canaries: Awaited<ReturnType<typeof putUpCanaries>>
let receiver: Receiver
let senders: Sender[] = []

beforeAll(async () => {
  canaries = await putUpCanaries('webhooks', 'secret')
})
afterAll(() => canaries?.remove())
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(async () => {
  for (const sender of senders) sender.close()
  senders = []
  await receiver.stop()
})

function sender(options: Partial<Parameters<typeof createSender>[0]> = {}) {
  const made = createSender({ timeoutMs: 2_000, allowPrivate: false, ...options })
  senders.push(made)
  return (url: string) => made.send(url, {}, '{}', new AbortController().signal)
}

/** A resolver that answers with these addresses, one list after the other, and counts how often it was asked. */
function resolver(...answers: string[][]) {
  let asked = 0
  const resolve = async () => answers[Math.min(asked++, answers.length - 1)]!
  return { lookup: createPublicLookup(resolve), asked: () => asked }
}

describe('a request to a webhook', () => {
  it.each([
    'https://127.0.0.1:PORT/',
    'https://127.1:PORT/',
    'https://2130706433:PORT/',
    'https://0x7f000001:PORT/',
    'https://0177.0.0.1:PORT/',
    'https://0.0.0.0:PORT/',
    'https://localhost:PORT/',
    'https://LOCALHOST.:PORT/',
    'https://api.localhost:PORT/',
    'https://[::1]:PORT/',
    'https://[::]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://[::ffff:7f00:1]:PORT/',
    'https://[64:ff9b::7f00:1]:PORT/',
    'https://10.0.0.1:PORT/',
    'https://169.254.169.254:PORT/latest/meta-data',
  ])('does not connect to %s', async url => {
    const before = canaries.connections()
    expect(await sender()(url.replace('PORT', String(canaries.port)))).toEqual({
      ...{ status: 0, error: 'private_address', retryAfterMs: 0 },
    })
    expect(canaries.connections()).toBe(before)
  })

  it('does not go out without TLS', async () => {
    expect(await sender()(`http://127.0.0.1:${canaries.port}/`)).toMatchObject({ error: 'https_required' })
    expect(await sender({ allowPrivate: true })('ftp://127.0.0.1/')).toMatchObject({ error: 'https_required' })
  })

  it.each([
    ['a private address', [['10.0.0.1']]],
    ['this machine', [['127.0.0.1']]],
    ['a mapped address', [['::ffff:127.0.0.1']]],
    ['a public address and a private one', [['8.8.8.8', '127.0.0.1']]],
    ['no address', [[]]],
  ])('does not connect to a name that has %s', async (_what, answers) => {
    const before = canaries.connections()
    const { lookup } = resolver(...answers)
    expect(await sender({ lookup })(`https://innocent.example:${canaries.port}/`)).toMatchObject({
      error: 'private_address',
    })
    expect(canaries.connections()).toBe(before)
  })

  it('connects to what was checked: a connection gets the addresses of the one look-up, and the next one looks again', async () => {
    const { lookup, asked } = resolver(['8.8.8.8', '2606:4700::1'], ['127.0.0.1'])
    const looked = (all: boolean) =>
      new Promise(resolve =>
        lookup('rebinding.example', { all }, (error, address, family) => resolve(error?.code ?? [address, family])),
      )
    expect(await looked(true)).toEqual([
      [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1', family: 6 },
      ],
      undefined,
    ])
    expect(asked()).toBe(1)
    expect(await looked(true)).toBe('private_address')
    const before = canaries.connections()
    const error = (await sender({ lookup })(`https://rebinding.example:${canaries.port}/`)).error
    expect([error, asked(), canaries.connections()]).toEqual(['private_address', 3, before])
  })

  it.each([301, 302, 303, 307, 308])('follows no redirect (%d)', async status => {
    const before = canaries.connections()
    receiver.answer = () => ({ status, headers: { Location: `http://127.0.0.1:${canaries.port}/` } })
    const result = await sender({ allowPrivate: true })(`${receiver.url}/`)
    expect(result).toMatchObject({ status, error: `status_${status}` })
    expect(canaries.connections()).toBe(before)
    expect(receiver.received).toHaveLength(1)
  })

  it('is sent to no server whose certificate no authority has signed', async () => {
    const openssl = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'k.pem',
      '-out',
      'c.pem',
      '-subj',
      '/CN=x',
    ]
    execFileSync('openssl', openssl, { cwd: canaries.folder, stdio: 'pipe' })
    const [key, cert] = ['k.pem', 'c.pem'].map(file => readFileSync(join(canaries.folder, file)))
    let requests = 0
    const server = createTlsServer({ key: key!, cert: cert! }, (_request, response) => {
      requests++
      response.end()
    })
    const port = await new Promise<number>(resolve => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    expect((await sender({ allowPrivate: true })(`https://127.0.0.1:${port}/`)).error).toContain('self_signed_cert')
    expect(requests).toBe(0)
    server.close()
  })

  it('waits for no answer longer than it may, and reads little of one', async () => {
    let sent = 0
    const open = new Set<import('node:net').Socket>()
    const server = createServer(socket => {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => open.delete(socket))
      socket.once('data', data => {
        if (!data.includes('/endless')) return
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        const more = () => {
          sent += 65_536
          if (!socket.destroyed) socket.write(Buffer.alloc(65_536), () => setImmediate(more))
        }
        more()
      })
    })
    const port = await new Promise<number>(resolve => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const send = sender({ allowPrivate: true, timeoutMs: 300 })
    expect(await send(`http://127.0.0.1:${port}/silent`)).toEqual({ status: 0, error: 'timeout', retryAfterMs: 0 })
    expect(await send(`http://127.0.0.1:${port}/endless`)).toMatchObject({ status: 200, error: '' })
    await until(
      'both connections are closed',
      () => open.size,
      size => size === 0,
    )
    expect(sent).toBeLessThan(64 * 1024 * 1024)
    server.close()
  })

  it('takes nothing of an answer but its status and a pause', async () => {
    receiver.answer = () => ({ status: 503, headers: { 'Retry-After': '7', 'X-Evil': 'x' }, body: 'secret' })
    const send = sender({ allowPrivate: true })
    expect(await send(`${receiver.url}/`)).toEqual({ status: 503, error: 'status_503', retryAfterMs: 7_000 })
    for (const wrong of ['-1', '1e9', 'soon', '99999999999'])
      for (const status of [429]) {
        receiver.answer = () => ({ status, headers: { 'Retry-After': wrong } })
        expect(await send(`${receiver.url}/`)).toMatchObject({ retryAfterMs: 0 })
      }
    receiver.answer = () => ({ status: 200, headers: { 'X-Long': 'x'.repeat(200_000) } })
    expect(await send(`${receiver.url}/`)).toMatchObject({ status: 0, error: 'hpe_header_overflow' })
  })
})

describe('the webhooks of a site', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>
  let collector: string
  const SITE = 'shop'
  /** A site whose webhooks came by another way; those of the other one must not be reached for. */
  const EVIL = 'evil'

  beforeAll(async () => {
    broker = await startBroker({ PARTITIONS: '2' })
    collector = await broker.collector()
    await putSite(collector, SITE)
    await putSite(collector, EVIL)
  })
  afterAll(() => broker?.stop())

  async function admin(method: string, path: string, body?: object, token = ADMIN_TOKEN, site = SITE) {
    const response = await fetch(`${collector}/v1/admin/sites/${site}/webhooks${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  }

  it('are for administrators, at public hosts, and a bounded number', async () => {
    expect((await admin('POST', '', { url: 'https://example.com/' }, 'wrong')).status).toBe(401)
    for (const url of ['http://example.com/', 'https://127.0.0.1/', 'https://[::ffff:10.0.0.1]/', 'https://localhost/'])
      expect(await admin('POST', '', { url })).toMatchObject({ status: 400, text: expect.stringContaining('url: ') })
    for (let n = 0; n < 20; n++) expect((await admin('POST', '', { url: `https://example.com/${n}` })).status).toBe(200)
    expect(await admin('POST', '', { url: 'https://example.com/' })).toMatchObject({
      ...{ status: 409, text: expect.stringContaining('delete one first') },
    })
  })

  it('keep their secrets to themselves once they were told', async () => {
    const { webhooks } = JSON.parse((await admin('GET', '')).text) as { webhooks: { id: string }[] }
    await admin('DELETE', `/${webhooks[0]!.id}`)
    const { id, secret } = JSON.parse((await admin('POST', '', { url: 'https://example.com/' })).text)
    expect(secret).toMatch(/^whsec_/)
    expect((await admin('GET', '')).text).not.toContain('whsec_')
    const stored = (await broker.installation.buckets.webhooks.get(
      webhookKey({ siteId: SITE, webhookId: id }),
    ))!.string()
    expect(stored).not.toContain('whsec_')
    expect(stored).not.toContain(secret.slice('whsec_'.length))
  })

  it('are not reached in a private network, however they came into the bucket', async () => {
    const before = canaries.connections()
    const { nats, installation } = broker
    const { buckets, privacy } = installation
    for (const [n, url] of [
      `http://127.0.0.1:${canaries.port}/`,
      `https://127.0.0.1:${canaries.port}/`,
      `https://localhost:${canaries.port}/`,
      'file:///etc/passwd',
      'not a URL',
    ].entries()) {
      const webhook = { webhookId: `evil-${n}`, siteId: EVIL, url, signals: [], createdAt: '', since: {} }
      const sealedSecret = privacy.seal(`whsec_${Buffer.alloc(32).toString('base64')}`)
      await buckets.webhooks.put(webhookKey(webhook), JSON.stringify({ ...webhook, sealedSecret }))
    }
    await buckets.webhooks.put(`${EVIL}.broken`, '{"webhookId":7}')
    const publisher = createPublisher(nats)
    const metrics = createMetrics()
    const settings = { ...webhookSettings({}), retryMs: 50 }
    const role = await startWebhooks({
      ...{ nats, publisher, installation, metrics, log, settings },
      identity: someIdentity(),
    })
    const at = new Date().toISOString()
    const ids = { signalId: 's1', signal: 'left', messageId: 'm1', anonymousId: 'v', userId: '', sessionId: '' }
    const envelope: SignalEnvelope = {
      ...{ siteId: EVIL, visitorId: 'v', receivedAt: at },
      signals: [{ ...ids, timestamp: at, details: {} }],
    }
    await nats.js.publish(streamSubject('signals', partitionOf(EVIL, 'v', 2)), JSON.stringify(envelope))
    const failed = await until(
      'attempts at all of them',
      async () => {
        const answers = await Promise.all(
          [0, 1, 2, 3, 4].map(n => admin('GET', `/evil-${n}/deliveries`, undefined, ADMIN_TOKEN, EVIL)),
        )
        return answers.map(({ text }) => JSON.parse(text).deliveries[0]?.error ?? null)
      },
      errors => errors.every(error => error !== null),
    )
    expect(failed).toEqual([
      'https_required',
      'private_address',
      'private_address',
      'https_required',
      expect.any(String),
    ])
    expect(canaries.connections()).toBe(before)
    await role.stop()
    publisher.close()
  })
})
