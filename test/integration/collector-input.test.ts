import { connect as connectSocket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { MAX_BATCH_BYTES, type RejectedEnvelope } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { eventsOf, idsOf, newId, post, streamOf, track, url, withCollector } from '../support/collector-api.js'

withCollector()

describe('bad input', () => {
  it.each([
    ['malformed JSON', '{"writeKey":"shop","batch":[}', 400, 'malformed'],
    ['an empty body', '', 400, 'malformed'],
    ['a list', '[]', 401, 'unknown_key'],
    ['no batch', '{"writeKey":"shop"}', 400, 'malformed'],
    ['a batch that is no list', '{"writeKey":"shop","batch":{}}', 400, 'malformed'],
    ['too many messages', `{"writeKey":"shop","batch":[${'0,'.repeat(5_000)}0]}`, 413, 'too_large'],
    ['no write key', '{"batch":[]}', 401, 'unknown_key'],
    ['an unknown write key', '{"writeKey":"nobody","batch":[]}', 401, 'unknown_key'],
    ['invalid UTF-8', Buffer.from([...Buffer.from('{"writeKey":"shop","batch":["'), 0xff, 0xfe]), 400, 'malformed'],
    ['10 MB', Buffer.alloc(10 * 1024 * 1024, 'x'), 413, 'too_large'],
    ['one byte too many', `{"writeKey":"shop","batch":[]}${' '.repeat(MAX_BATCH_BYTES - 29)}`, 413, 'too_large'],
  ])('is answered: %s', async (_what, body, status, code) => {
    const answer = await post('/v1/batch', body)
    expect(answer).toMatchObject({ status, body: { error: { code } } })
    expect(answer.body.error.message).not.toMatch(/\bat .*\.ts/)
  })

  it('says where JSON is broken', async () => {
    const { body } = await post('/v1/batch', '{"writeKey":"shop","batch":[}')
    expect(body.error.message).toContain('}')
  })

  it('is answered 413 when its size was not announced', async () => {
    const chunk = new Uint8Array(64 * 1024).fill(32)
    let left = 40
    const body = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk)
        else controller.close()
      },
    })
    const response = await fetch(`${url}/v1/batch`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect(response.status).toBe(413)
    expect(response.headers.get('connection')).toBe('close')
  })

  it('is answered 413 when it is a decompression bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
    expect(await post('/v1/batch', bomb, { 'Content-Encoding': 'gzip' })).toMatchObject({
      status: 413,
      body: { error: { code: 'too_large' } },
    })
  })

  it('is answered when the encoding is a lie, or unknown', async () => {
    expect((await post('/v1/batch', '{}', { 'Content-Encoding': 'gzip' })).status).toBe(400)
    expect((await post('/v1/batch', '{}', { 'Content-Encoding': 'zstd' })).status).toBe(415)
    expect((await post('/v1/batch', 'a=b', { 'Content-Type': 'multipart/form-data' })).status).toBe(415)
  })

  it('of single messages is told and kept, and the good messages of the batch are stored', async () => {
    const visitor = newId('v')
    const bad = {
      unknown_type: track(visitor, { type: 'click' }),
      wrong_type: track(visitor, { event: 5 }),
      missing_field: track(visitor, { event: undefined }),
      too_large: track(visitor, { properties: { text: 'x'.repeat(33 * 1024) } }),
      too_long: track(visitor, { event: 'x'.repeat(300) }),
      forbidden_key: track(visitor, { properties: JSON.parse('{"__proto__": {"isAdmin": true}}') }),
      timestamp_out_of_range: track(visitor, { timestamp: '1970-01-01T00:00:00.000Z' }),
      invalid_timestamp: track(visitor, { timestamp: 'soon' }),
    }
    const future = track(visitor, { timestamp: '2100-01-01T00:00:00.000Z' })
    const good = [track(visitor), track(visitor)]
    const batch = [good[0], ...Object.values(bad), future, null, good[1]]
    const { status, body } = await post('/v1/batch', { writeKey: 'shop', batch })
    expect(status).toBe(200)
    expect(body.accepted).toBe(2)
    expect(body.rejected.map(({ code }) => code)).toEqual([
      ...Object.keys(bad),
      'timestamp_out_of_range',
      'not_an_object',
    ])
    expect(idsOf(await eventsOf(visitor))).toEqual(good.map(message => message.messageId))
    const refused = (await streamOf<RejectedEnvelope>('REJECTED')).flatMap(({ rejected }) => rejected)
    for (const { messageId, code, reason } of body.rejected)
      expect(refused.find(kept => kept.messageId === messageId && kept.code === code)?.reason).toBe(reason)
    expect(refused.find(kept => kept.code === 'forbidden_key')?.payload).toContain('"__proto__"')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('of a clock that was put right, or a stale sentAt, is stored and marked', async () => {
    const visitor = newId('v')
    const sentAt = new Date().toISOString()
    const batch = [
      track(visitor, { timestamp: '2099-01-01T00:00:00.000Z' }),
      track(visitor, { timestamp: '1970-01-01T00:00:00.000Z' }),
      track(visitor, { sentAt: null }),
    ]
    const { body } = await post('/v1/batch', { writeKey: 'shop', batch, sentAt })
    expect(body).toMatchObject({ accepted: 3, rejected: [] })
    const stored = (await eventsOf(visitor)).flatMap(({ messages }) => messages)
    expect(stored.map(({ timestamp }) => Date.parse(timestamp) >= Date.parse(sentAt))).toEqual([true, true, true])
    expect(stored.map(({ context, originalTimestamp }) => [context?.timeClamped, originalTimestamp])).toEqual([
      [true, '2099-01-01T00:00:00.000Z'],
      [true, '1970-01-01T00:00:00.000Z'],
      [undefined, undefined],
    ])
  })

  it('of ids that are none is told, for each id', async () => {
    const visitor = newId('v')
    const bad = [
      track('[object Object]'),
      track(visitor, { anonymousId: null, userId: 'undefined' }),
      track(visitor, { type: 'alias', userId: 'u', previousId: 'null' }),
      track(visitor, { type: 'group', groupId: ' ' }),
    ]
    const { body } = await post('/v1/batch', { writeKey: 'shop', batch: [...bad, track(visitor)] })
    expect(body).toMatchObject({ accepted: 1, rejected: bad.map(() => ({ code: 'invalid_id' })) })
    expect(body.rejected.map(({ reason }) => reason.split(' ')[0])).toEqual([
      'anonymousId',
      'userId',
      'previousId',
      'groupId',
    ])
  })

  it('of lone surrogates is mended', async () => {
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor, { event: 'LONE' })] })
    await post('/v1/batch', text.replace('LONE', 'x\\ud800y'))
    expect((await eventsOf(visitor))[0]?.messages[0]?.event).toBe('x\ufffdy')
  })

  it('of any kind leaves no stack trace and no crash', async () => {
    for (const body of ['null', '5', '"text"', 'true', '{"__proto__":{"batch":[]}}', '['.repeat(100_000)])
      expect((await post('/v1/batch?writeKey=shop', body)).status).toBe(400)
    for (const body of ['null', '{}', '{"anonymousId":"a","slots":[{}]}'])
      expect((await post('/v1/slots?writeKey=shop', body)).status).toBe(400)
    const deep = `{"anonymousId":"a","slots":[{"id":"h"}],"context":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_001)}`
    expect((await post('/v1/slots?writeKey=shop', deep)).status).toBe(400)
    expect((await fetch(`${url}/v1/projects/%E0%A4%A/settings`)).status).toBe(400)
    expect((await fetch(`${url}/demo/%E0%A4%A`)).status).toBe(404)
  })

  it('of a client that leaves half-way harms nobody', async () => {
    const { port } = new URL(url)
    await new Promise<void>(resolve => {
      const socket = connectSocket(Number(port), '127.0.0.1', () => {
        socket.write('POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"ba')
        setTimeout(() => socket.destroy(), 50)
      })
      socket.once('close', () => resolve())
    })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('of methods and paths that are not there', async () => {
    const response = await fetch(`${url}/v1/batch`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
    expect((await post('/v1/nowhere', {})).body.error.code).toBe('not_found')
  })
})

describe('CORS', () => {
  const preflight = (path: string, origin: string, asked: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', ...asked },
    })

  it('answers preflights', async () => {
    const response = await preflight('/v1/batch', 'https://anywhere.example')
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://anywhere.example')
    expect(response.headers.get('access-control-allow-headers')).toBe('Content-Type, Authorization, Content-Encoding')
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(0)
  })

  it('allows the headers that a library asks for, and only names of headers', async () => {
    const allowed = async (asked: string) => {
      const answer = await preflight('/v1/track', 'https://anywhere.example', {
        'Access-Control-Request-Headers': asked,
      })
      return [answer.status, answer.headers.get('access-control-allow-headers'), answer.headers.get('vary')]
    }
    const vary = 'Origin, Access-Control-Request-Headers'
    // RudderStack's.
    expect(await allowed('anonymousid,authorization,content-type')).toEqual([
      204,
      'anonymousid,authorization,content-type',
      vary,
    ])
    const usual = [204, 'Content-Type, Authorization, Content-Encoding', vary]
    expect(await allowed('no names: at all')).toEqual(usual)
    expect(await allowed('x'.repeat(2_000))).toEqual(usual)
  })

  it('lets the pages of a site in, and no others', async () => {
    const batch = { writeKey: 'strict', batch: [track(newId('v'))] }
    const own = await post('/v1/batch', batch, { Origin: 'https://strict.example' })
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, 'https://strict.example'])
    expect(own.headers.get('vary')).toContain('Origin')
    const other = await post('/v1/batch', batch, { Origin: 'https://other.example' })
    expect(other).toMatchObject({ status: 403, body: { error: { code: 'origin_not_allowed' } } })
    expect((await post('/v1/batch', batch)).status).toBe(200)
  })

  it('lets pages read errors, and when to come again', async () => {
    const { headers } = await post('/v1/batch', '{', { Origin: 'https://anywhere.example' })
    expect(headers.get('access-control-allow-origin')).toBe('https://anywhere.example')
    expect(headers.get('access-control-expose-headers')).toBe('Retry-After')
  })

  it('keeps pages away from the admin routes', async () => {
    for (const path of ['/v1/admin/sites', '/v1/admin', '/V1/Admin/sites/', '/v1/admin/nowhere']) {
      const response = await preflight(path, 'https://anywhere.example', {
        'Access-Control-Request-Headers': 'authorization',
      })
      expect(response.status).toBe(401)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(response.headers.get('access-control-allow-headers')).toBeNull()
    }
  })
})
