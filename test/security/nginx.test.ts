import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { startNginx } from '../support/nginx.js'

/** An address of this machine that no setting here counts as a proxy's. */
const FOREIGN = '127.0.0.2'

let broker: Awaited<ReturnType<typeof startBroker>>
let folder: string
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotstream-tls-'))
  const made = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=collect.example']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...made], { cwd: folder, stdio: 'pipe' })
  broker = await startBroker()
})
afterAll(async () => {
  for (const stop of stops) await stop()
  await broker?.stop()
  if (folder) rmSync(folder, { recursive: true })
})

/** A collector behind nginx, as docs/collector.md has it, with a certificate of its own. */
async function behindNginx(settings: Parameters<typeof broker.collector>[0]) {
  const collector = await broker.collector(settings)
  await putSite(collector, 'shop', { enrichment: { ip: 'truncated' } })
  const nginx = await startNginx([Number(new URL(collector).port)], {
    cert: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
  })
  stops.push(nginx.stop)
  return nginx.url
}

interface Sent {
  method?: string
  headers?: Record<string, string | string[]>
  body?: object
  from?: string
}

function send(url: string, { method = 'GET', headers = {}, body, from = FOREIGN }: Sent = {}) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const options = { method, headers, localAddress: from, rejectUnauthorized: false, agent: false as const }
    const sending = request(url, options, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.once('end', () => resolve({ status: response.statusCode!, text }))
    })
    sending.once('error', reject).end(body && JSON.stringify(body))
  })
}

/** What a client may say of addresses. */
const SPOOFED: Record<string, string | string[]>[] = [
  {},
  { 'X-Forwarded-For': '203.0.113.9' },
  { 'X-Forwarded-For': '203.0.113.9, 127.0.0.1' },
  { 'X-Forwarded-For': ['203.0.113.9', '127.0.0.1'] },
  { 'X-Forwarded-For': '127.0.0.1,'.repeat(40) },
  { 'X-Forwarded-For': '' },
  { 'X-Forwarded-For': 'unknown' },
  { x_forwarded_for: '203.0.113.9' },
  { 'X-Real-IP': '203.0.113.9', Forwarded: 'for=203.0.113.9' },
]

const track = (url: string, { headers, ...more }: Sent = {}) =>
  send(`${url}/v1/track?writeKey=shop`, {
    method: 'POST',
    headers: headers ?? {},
    body: { anonymousId: 'v', event: 'Seen' },
    ...more,
  })

/** Networks from which the collector takes events to come. */
async function networks(url: string, sent: Sent[]): Promise<unknown[]> {
  const { last_seq } = (await broker.nats.manager.streams.info('EVENTS')).state
  for (const each of sent) expect(await track(url, each)).toMatchObject({ status: 200 })
  const envelopes = await readAll(broker.nats, 'EVENTS', last_seq)
  return envelopes.flatMap(({ messages }) => messages.map(({ context }) => context?.ip))
}

describe('behind nginx as the documentation has it', () => {
  it.each([
    ['the address of the proxy', ['127.0.0.1']],
    ['the number of proxies', 1],
  ])('with %s in TRUST_PROXY a client cannot be taken for another one', async (_name, trustProxy) => {
    const url = await behindNginx({ settings: { trustProxy, addressPerSecond: 0 } })
    const found = await networks(
      url,
      SPOOFED.map(headers => ({ headers })),
    )
    expect(found).toEqual(SPOOFED.map(() => '127.0.0.0'))
  })

  it('a client does not escape its limit by naming other addresses', async () => {
    const url = await behindNginx({ settings: { trustProxy: ['127.0.0.1'], addressPerSecond: 1 } })
    const statuses: number[] = []
    for (let n = 0; n < 12; n++)
      statuses.push((await track(url, { headers: { 'X-Forwarded-For': `203.0.113.${n}` } })).status)
    expect(statuses).toContain(429)
    // Nor does it use up that of the address which it names.
    expect((await track(url, { from: '127.0.0.3' })).status).toBe(200)
  })

  it('names host and protocol as nginx saw them, whatever a client says', async () => {
    const url = await behindNginx({ settings: { trustProxy: ['127.0.0.1'] } })
    const headers = { Host: 'collect.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' }
    const { text } = await send(`${url}/v1/projects/shop/settings`, { headers })
    expect(text).toContain('collect.example')
    expect(text).not.toContain('evil.example')
  })

  it('with none in TRUST_PROXY every client is the proxy, and with the default clients of one’s own network are believed', async () => {
    const spoofed = [{ headers: { 'X-Forwarded-For': '203.0.113.9' } }]
    expect(await networks(await behindNginx({ settings: { trustProxy: [] } }), spoofed)).toEqual(['127.0.0.0'])
    expect(await networks(await behindNginx({}), spoofed)).toEqual(['203.0.113.0'])
  })
})
