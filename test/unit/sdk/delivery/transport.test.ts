import { gunzipSync } from 'node:zlib'
import { afterEach, expect, it, vi } from 'vitest'
import { createTransport } from '#sdk/delivery/send/transport.js'

afterEach(() => void vi.unstubAllGlobals())

const answer = () => Promise.resolve(new Response('{}', { headers: { 'Retry-After': '3' } }))
const text = JSON.stringify({ text: 'x'.repeat(5_000) })

function setUp() {
  const fetch = vi.fn((_url: string, _init: RequestInit) => answer())
  vi.stubGlobal('fetch', fetch)
  const transport = createTransport('https://c.example', 'k')
  const init = () => fetch.mock.calls[0]?.[1] as RequestInit
  return { transport, fetch, init }
}

it('compresses what is worth it, as a request that needs no preflight', async () => {
  const { transport, fetch, init } = setUp()
  expect(await transport.post('/v1/batch', text, { keepalive: true, compress: true })).toEqual({
    status: 200,
    retryAfter: '3',
    text: '{}',
  })
  expect(fetch.mock.calls[0]?.[0]).toBe('https://c.example/v1/batch?writeKey=k')
  expect(init().headers).toEqual({ 'Content-Type': 'text/plain' })
  expect(gunzipSync(Buffer.from(init().body as ArrayBuffer)).toString()).toBe(text)
})

it('sends as it is, within the same task, what is being compressed when the page ends', async () => {
  const { transport, fetch, init } = setUp()
  const answered = transport.post('/v1/batch', text, { keepalive: true, compress: true })
  expect(fetch).not.toHaveBeenCalled()
  transport.skipCompression()
  await Promise.resolve().then(() => {})
  expect(init()).toMatchObject({ body: text, keepalive: true })
  await answered
  await transport.post('/v1/batch', text, { keepalive: true, compress: true })
  expect(fetch).toHaveBeenCalledTimes(2)
  expect(gunzipSync(Buffer.from(fetch.mock.calls[1]?.[1].body as ArrayBuffer)).toString()).toBe(text)
})

it('sends small bodies as they are', async () => {
  const { transport, init } = setUp()
  await transport.post('/v1/batch', '{}', { keepalive: true, compress: true })
  expect(init().body).toBe('{}')
})

it('sends bodies as they are where the browser cannot compress', async () => {
  vi.stubGlobal('CompressionStream', undefined)
  const { transport, init } = setUp()
  await transport.post('/v1/batch', text, { keepalive: true, compress: true })
  expect(init().body).toBe(text)
  vi.unstubAllGlobals()
})

it('posts in the same task when it does not compress, for the end of a page', () => {
  const { transport, fetch } = setUp()
  void transport.post('/v1/batch', text, { keepalive: true })
  expect(fetch).toHaveBeenCalledOnce()
})

it('keeps to the bytes that requests may carry beyond their page, and gets them back', async () => {
  const { transport, fetch } = setUp()
  const first = transport.post('/v1/batch', 'x'.repeat(50_000), { keepalive: true })
  expect(transport.keepaliveBudget()).toBe(10_000)
  const second = transport.post('/v1/batch', 'x'.repeat(20_000), { keepalive: true })
  expect(fetch.mock.calls.map(([, init]) => init.keepalive)).toEqual([true, false])
  await Promise.all([first, second])
  expect(transport.keepaliveBudget()).toBe(60_000)
})

it('resolves with nothing when the network fails, also half-way through an answer', async () => {
  for (const fails of [
    () => Promise.reject(new TypeError('failed')),
    () => Promise.resolve({ text: () => Promise.reject(new Error('cut')) }),
  ]) {
    vi.stubGlobal('fetch', fails)
    const transport = createTransport('', 'k')
    expect(await transport.post('/v1/batch', '{}', { keepalive: false })).toBeUndefined()
    expect(transport.keepaliveBudget()).toBe(60_000)
  }
})

it('sends cookies only where the page wants that', async () => {
  const { transport, init } = setUp()
  await transport.post('/v1/batch', '{}', { keepalive: false })
  expect(init().credentials).toBe('omit')
  const fetch = vi.fn((_url: string, _init: RequestInit) => answer())
  vi.stubGlobal('fetch', fetch)
  const wanted = createTransport('', 'k', 'include')
  await wanted.post('/v1/batch', '{}', { keepalive: false })
  expect(fetch.mock.calls[0]?.[1].credentials).toBe('include')
})
