import { type ChildProcess, spawn } from 'node:child_process'
import { connect as connectSocket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createPublisher } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import {
  admin,
  broker,
  eventsOf,
  idsOf,
  installation,
  nats,
  newId,
  post,
  track,
  url,
  withCollector,
} from '../support/collector-api.js'
import { freePorts } from '../support/free-ports.js'
import { until } from '../support/until.js'

withCollector()

describe('the publisher', () => {
  it('fails at once when no stream takes the subject', async () => {
    const publisher = createPublisher(nats)
    await expect(publisher.publish('nowhere.1', Buffer.from('{}'), newId())).rejects.toThrow('no stream')
    publisher.close()
  })

  it('gives up on an acknowledgement that does not come, and takes no more than its bound', async () => {
    const silent = nats.connection.subscribe('silent.*')
    const publisher = createPublisher(nats, { timeoutMs: 300, maxPending: 2 })
    const waiting = [1, 2].map(() => publisher.publish('silent.1', Buffer.from('{}'), newId()))
    await expect(publisher.publish('silent.1', Buffer.from('{}'), newId())).rejects.toThrow('too many')
    expect(publisher.pending).toBe(2)
    for (const result of await Promise.allSettled(waiting))
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('within 300 ms') },
      })
    expect(publisher.pending).toBe(0)
    publisher.close()
    silent.unsubscribe()
  })

  it('says which message was there already', async () => {
    const publisher = createPublisher(nats)
    const id = newId('dup')
    const body = Buffer.from(JSON.stringify({ siteId: 'x', visitorId: id, messages: [] }))
    const first = await publisher.publish('events.0', body, id)
    expect(first.duplicate).toBe(false)
    expect(await publisher.publish('events.0', body, id)).toEqual({ seq: first.seq, duplicate: true })
    publisher.close()
  })

  it('keeps the order of what it is given', async () => {
    const publisher = createPublisher(nats)
    const body = Buffer.from(JSON.stringify({ siteId: 'x', visitorId: 'order', messages: [] }))
    const stored = await Promise.all(
      Array.from({ length: 2_000 }, () => publisher.publish('events.0', body, newId('o'))),
    )
    const positions = stored.map(({ seq }) => seq)
    expect(positions).toEqual([...positions].sort((a, b) => a - b))
    publisher.close()
  })
})

describe('without NATS', () => {
  it('nothing is acknowledged, decisions are still answered, and all goes on by itself afterwards', async () => {
    const visitor = newId('v')
    const body = { writeKey: 'shop', batchId: newId('b'), batch: [track(visitor)] }
    await broker.kill()
    await until(
      'the collector notices',
      () => post('/v1/batch', { ...body, batch: [track('x')] }),
      r => r.status === 503,
    )
    const refused = await post('/v1/batch', body)
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    const retryAfter = Number(refused.headers.get('retry-after'))
    expect(retryAfter).toBeGreaterThanOrEqual(1)
    expect(retryAfter).toBeLessThanOrEqual(5)

    const question = { writeKey: 'shop', anonymousId: visitor, slots: [{ id: 'hero' }] }
    const slots = await post('/v1/slots', { ...question, batches: [body] })
    expect(slots.status).toBe(200)
    expect(slots.body.decisions).toMatchObject([{ outcome: 'unavailable', items: [] }])
    expect(slots.body.batches).toMatchObject([{ success: false, error: { code: 'unavailable' } }])
    expect(slots.body).not.toHaveProperty('position')
    expect((await post('/v1/slots', { ...question, batch: [track(visitor)] })).status).toBe(503)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await admin('GET', '/sites')).status).toBe(503)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/slotstream_publish_failures_total\{code="not_connected"\} \d+/)

    await broker.start()
    const stored = await until(
      'the batch is taken',
      () => post('/v1/batch', body),
      ({ status }) => status === 200,
    )
    expect(stored.body.accepted).toBe(1)
    expect(idsOf(await eventsOf(visitor)).filter(id => id === body.batch[0]?.messageId)).toHaveLength(1)
    const site = { siteId: 'later', name: 'later', writeKeys: ['later'], allowedOrigins: ['*'], debug: false }
    await installation.buckets.sites.put('later', JSON.stringify(site))
    await until(
      'a new site is seen',
      () => post('/v1/batch', { writeKey: 'later', batch: [] }),
      ({ status }) => status === 200,
      { timeoutMs: 90_000 },
    )
  })
})

describe('the program', () => {
  const program = fileURLToPath(new URL('../../collector/dist/main.js', import.meta.url))

  function run(env: NodeJS.ProcessEnv) {
    const child: ChildProcess = spawn(process.execPath, [program], { env: { PATH: process.env.PATH, ...env } })
    let output = ''
    child.stdout?.on('data', chunk => {
      output += chunk
    })
    const exited = new Promise<number | null>(resolve => child.once('close', resolve))
    return { child, exited, output: () => output }
  }

  it('refuses to start without an admin token, and says so', async () => {
    const { exited, output } = run({ NATS_URL: broker.url })
    expect(await exited).toBe(1)
    expect(output()).toContain('ADMIN_TOKEN must be set')
  })

  it('refuses a port that is taken, and says so', async () => {
    const { exited, output } = run({
      NATS_URL: broker.url,
      ADMIN_TOKEN: 'x',
      PORT: new URL(url).port,
      HOST: '127.0.0.1',
    })
    expect(await exited).toBe(1)
    expect(output()).toContain('is in use: set PORT')
  })

  it('finishes what it has begun when it is told to stop', async () => {
    const [port] = await freePorts(1)
    const { child, exited } = run({ NATS_URL: broker.url, ADMIN_TOKEN: 'x', PORT: String(port), HOST: '127.0.0.1' })
    const own = `http://127.0.0.1:${port}`
    await until(
      'ready',
      () => fetch(`${own}/readyz`),
      response => response.ok,
    )
    const visitor = newId('v')
    const text = JSON.stringify({ writeKey: 'shop', batch: [track(visitor)] })
    const answer = await new Promise<string>((resolve, reject) => {
      let received = ''
      const socket = connectSocket(port!, '127.0.0.1', () => {
        socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n${text.slice(0, 20)}`)
        setTimeout(() => child.kill('SIGTERM'), 200)
        setTimeout(() => socket.write(text.slice(20)), 700)
      })
      socket.on('data', chunk => {
        received += chunk
      })
      socket.once('close', () => resolve(received))
      socket.once('error', reject)
    })
    expect(answer).toContain('200 OK')
    expect(await exited).toBe(0)
    expect(await eventsOf(visitor)).toHaveLength(1)
  })
})
