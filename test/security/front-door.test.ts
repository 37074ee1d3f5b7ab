import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, startBroker } from '../support/collector.js'
import { batchHead, openRaw, type RawConnection } from '../support/raw-http.js'
import { until } from '../support/until.js'
import { WITHOUT_LIMITS } from '../support/without-limits.js'

const KB = 1024

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string
const opened: RawConnection[] = []

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  await putSite(url, 'shop')
})

afterAll(async () => {
  for (const { socket } of opened) socket.destroy()
  await broker?.stop()
})

async function open(at: string, text: string | Uint8Array): Promise<RawConnection> {
  const connection = await openRaw(at, text)
  opened.push(connection)
  return connection
}

const idle = (at: string, count: number, head: string) =>
  Promise.all(Array.from({ length: count }, () => open(at, head)))

let ids = 0
async function send(at: string, padding = 0): Promise<number> {
  const message = { type: 'track', event: 'E', anonymousId: 'v', messageId: `m-${++ids}` }
  const body = JSON.stringify({ batch: [{ ...message, properties: { text: 'x'.repeat(padding) } }] })
  return (await fetch(`${at}/v1/batch?writeKey=shop`, { method: 'POST', body })).status
}

async function inFlight(at: string): Promise<number> {
  const text = await (await fetch(`${at}/metrics`)).text()
  return Number(/^slotstream_http_body_bytes_in_flight (\S+)$/m.exec(text)?.[1])
}

describe('bodies that never come', () => {
  it.each([
    ['announced with a length', { 'Content-Length': 500 * KB }],
    ['announced as compressed', { 'Content-Length': 5 * KB, 'Content-Encoding': 'gzip' }],
    ['of unknown length', { 'Transfer-Encoding': 'chunked' }],
  ])('take nothing: 71 of them, and 1,000, %s', async (_what, headers) => {
    for (const count of [71, 929]) {
      const held = await idle(url, count, batchHead(headers))
      expect(await inFlight(url)).toBeLessThan(KB)
      const answers = await Promise.all(Array.from({ length: 50 }, () => send(url, 5 * KB)))
      expect(new Set(answers)).toEqual(new Set([200]))
      if (count > 71) for (const { socket } of held) socket.destroy()
    }
  })

  it('take nothing through the router either, where paths are written in another way', async () => {
    const held = await idle(url, 200, batchHead({ 'Content-Length': 500 * KB }, '/V1/Batch/'))
    expect(await inFlight(url)).toBeLessThan(KB)
    expect(await send(url)).toBe(200)
    for (const { socket } of held) socket.destroy()
  })

  it('of one address never cost it its own complete requests', async () => {
    const strict = await broker.collector({ settings: { maxOpenBodiesPerAddress: 5 } })
    const held = await idle(strict, 20, `${batchHead({ 'Content-Length': 1_000 })}{`)
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(strict)))
    expect(new Set(answers)).toEqual(new Set([200]))
    await until(
      'the slowest are told why they lost their place',
      () => held.filter(({ received }) => received().includes('HTTP/1.1 429')).length,
      count => count >= 15,
    )
  })

  it('that fill the memory give way to what is complete', async () => {
    const small = await broker.collector({ settings: { ...WITHOUT_LIMITS, maxInFlightBytes: 2 * KB * KB } })
    const half = `${batchHead({ 'Content-Length': 400 * KB })}{"batch":["${'x'.repeat(300 * KB)}`
    const held = await idle(small, 20, half)
    await until(
      'most of them are rejected',
      () => held.filter(({ received }) => received().includes('HTTP/1.1 503')).length,
      count => count >= 13,
    )
    expect(await inFlight(small)).toBeLessThanOrEqual(2 * KB * KB)
    const answers = []
    for (let n = 0; n < 20; n++) answers.push(await send(small, 400 * KB))
    expect(new Set(answers)).toEqual(new Set([200]))
  })
})

describe('bodies that trickle', () => {
  const slow = { bodyGraceMs: 300, minBodyBytesPerSecond: 1_000 }
  const packed = gzipSync(JSON.stringify({ batch: [] }))

  it.each([
    ['with a length', batchHead({ 'Content-Length': 1_000 }), ' '],
    ['in chunks', batchHead({ 'Transfer-Encoding': 'chunked' }), '1\r\n \r\n'],
    [
      'compressed',
      batchHead({ 'Content-Length': 1_000, 'Content-Encoding': 'gzip' }),
      packed.subarray(0, 1).toString('latin1'),
    ],
  ])('%s are ended with a reason, and their connection is closed', async (_what, head, piece) => {
    const strict = await broker.collector({ settings: slow })
    const connection = await open(strict, head)
    const trickle = setInterval(() => connection.socket.write(piece, 'latin1'), 50)
    await until('there is an answer', connection.received, text => text.includes('HTTP/1.1 408'))
    expect(connection.received()).toContain('"code":"request_timeout"')
    expect(connection.received()).toContain('Connection: close')
    clearInterval(trickle)
    connection.socket.end()
    await connection.closed
  })

  it('fast enough are taken', async () => {
    const strict = await broker.collector({ settings: slow })
    const body = JSON.stringify({ writeKey: 'shop', batch: [], padding: 'x'.repeat(1_000) })
    const connection = await open(strict, batchHead({ 'Content-Length': body.length }))
    for (let at = 0; at < body.length; at += 100) {
      connection.socket.write(body.slice(at, at + 100))
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    await until('there is an answer', connection.received, text => text.includes('HTTP/1.1 200'))
  })
})

describe('connections', () => {
  it('of one address are bound, and idle ones give way to its requests', async () => {
    const strict = await broker.collector({ settings: { maxConnectionsPerAddress: 20, trustProxy: [] } })
    const kept = await idle(strict, 5, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    for (const { received } of kept) await until('there is an answer', received, text => text.includes('200 OK'))
    const heads = await idle(strict, 10, 'POST /v1/batch HTTP/1.1\r\nHost: x\r\nX-')
    const silent = await idle(strict, 15, 'G')
    expect(await send(strict)).toBe(200)
    await Promise.all([...kept, ...heads.slice(0, 5)].map(({ closed }) => closed))
    expect(silent.some(({ socket }) => socket.closed)).toBe(false)
  })
})

describe('a refusal', () => {
  it('comes before the body', async () => {
    const strict = await broker.collector({ settings: { addressMessagesPerSecond: 1 } })
    const batch = Array.from({ length: 100 }, () => ({ type: 'track', event: 'E', anonymousId: 'v' }))
    const first = await fetch(`${strict}/v1/batch?writeKey=shop`, { method: 'POST', body: JSON.stringify({ batch }) })
    expect(first.status).toBe(200)
    const connection = await open(strict, batchHead({ 'Content-Length': 500 * KB }))
    await until('there is an answer', connection.received, text => text.includes('"rate_limited"'))
    expect(connection.received()).toMatch(/HTTP\/1.1 429 .*Retry-After: \d+/s)
  })
})
