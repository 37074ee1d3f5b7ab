import { Agent, request } from 'node:http'
import type { EventEnvelope } from '@slotstream/protocol'
import { createPublisher } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { startNginx } from '../support/nginx.js'
import { until } from '../support/until.js'
import { WITHOUT_LIMITS_ENV } from '../support/without-limits.js'

const MB = 1024 * 1024
/** How long NATS is gone; the long run makes it 30 s. */
const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS || 3) * 1_000
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

let broker: Awaited<ReturnType<typeof startBroker>>

beforeAll(async () => {
  broker = await startBroker()
})

afterAll(() => broker?.stop())

interface Posted {
  status: number
  retryAfter: string | undefined
}

/** Posts over kept-alive connections; status 0 when there was no answer. */
function createPoster() {
  const agent = new Agent({ keepAlive: true })
  const post = (url: string, body: string) =>
    new Promise<Posted>(resolve => {
      const asked = request(`${url}/v1/batch`, { method: 'POST', agent }, response => {
        response.resume()
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] }),
        )
        response.once('error', () => resolve({ status: 0, retryAfter: undefined }))
      })
      asked.once('error', () => resolve({ status: 0, retryAfter: undefined }))
      asked.end(body)
    })
  return { post, close: () => agent.destroy() }
}

/**
 * Sends batches from several clients at once until it is stopped. A client sends a batch again, the same each time,
 * until it is acknowledged, as the SDK does; only then does it go on to the next.
 */
function startLoad(url: string, siteId: string, clients: number) {
  const { post, close } = createPoster()
  const acknowledged: string[] = []
  const answers = new Map<number, number>()
  let stopped = false
  const running = Array.from({ length: clients }, async (_, client) => {
    for (let n = 0; !stopped; n++) {
      const id = `${siteId}-${client}-${n}`
      const batch = [0, 1].map(index => ({
        type: 'track',
        event: 'E',
        anonymousId: `v-${client}`,
        messageId: `${id}-${index}`,
      }))
      const body = JSON.stringify({ writeKey: siteId, batchId: id, batch })
      for (;;) {
        const { status } = await post(url, body)
        answers.set(status, (answers.get(status) ?? 0) + 1)
        if (status === 200) break
        await pause(50)
      }
      acknowledged.push(...batch.map(({ messageId }) => messageId))
      await pause(5)
    }
  })
  return {
    acknowledged,
    answers,
    async stop() {
      stopped = true
      await Promise.all(running)
      close()
    },
  }
}

async function storedIds(siteId: string): Promise<string[]> {
  const envelopes = await readAll<EventEnvelope>(broker.nats)
  return envelopes
    .filter(envelope => envelope.siteId === siteId)
    .flatMap(({ messages }) => messages.map(({ messageId }) => messageId))
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

describe('with NATS gone', () => {
  it('clients are told to wait, nothing acknowledged is missing, and all goes on by itself', async () => {
    const collector = await broker.program(WITHOUT_LIMITS_ENV)
    await putSite(collector.url, 'gone')
    const load = startLoad(collector.url, 'gone', 8)
    await until(
      'some are stored',
      () => load.acknowledged.length,
      count => count > 100,
    )
    await broker.kill()
    await until(
      'the collector says so',
      () => load.answers.get(503) ?? 0,
      count => count > 20,
    )
    await pause(OUTAGE_MS)
    const before = load.acknowledged.length
    await broker.start()
    const back = performance.now()
    await until(
      'it goes on',
      () => load.acknowledged.length,
      count => count > before,
      { everyMs: 10 },
    )
    console.log(`recovered ${Math.round(performance.now() - back)} ms after nats-server listened`)
    await until(
      'it goes on as before',
      () => load.acknowledged.length,
      count => count > before + 100,
    )
    await load.stop()
    await until('the test is connected again', () => broker.nats.connected, Boolean)
    expect([...load.answers.keys()].sort()).toEqual([200, 503])
    const stored = await storedIds('gone')
    expect(stored.sort()).toEqual([...load.acknowledged].sort())
    expect(await collector.end()).toBe(0)
  })
})

describe('with NATS standing still', () => {
  it('no more is taken than there is room for, memory stays as it is, and all goes on by itself', async () => {
    const collector = await broker.program({ MAX_IN_FLIGHT_MB: '8', ...WITHOUT_LIMITS_ENV })
    await putSite(collector.url, 'still')
    const { post, close } = createPoster()
    const text = 'x'.repeat(20_000)
    let n = 0
    const large = () => {
      const batch = Array.from({ length: 20 }, (_, index) => ({
        type: 'track',
        event: 'E',
        anonymousId: `v-${n}`,
        messageId: `still-${n}-${index}`,
        properties: { text },
      }))
      n++
      return JSON.stringify({ writeKey: 'still', batch })
    }
    const wave = () => Promise.all(Array.from({ length: 60 }, () => post(collector.url, large())))
    await wave()
    const began = await metric(collector.url, 'process_resident_memory_bytes')
    await broker.kill('SIGSTOP')
    try {
      const waiting = wave()
      await until(
        'some wait',
        () => metric(collector.url, 'slotstream_http_body_bytes_in_flight'),
        bytes => bytes > MB,
      )
      expect(await metric(collector.url, 'slotstream_http_body_bytes_in_flight')).toBeLessThanOrEqual(8 * MB)
      const answers = [...(await waiting), ...(await wave())]
      expect(answers.filter(({ status }) => status !== 503)).toEqual([])
      expect(answers.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true)
      expect(await metric(collector.url, 'process_resident_memory_bytes')).toBeLessThan(began + 150 * MB)
    } finally {
      broker.resume()
    }
    await until(
      'it goes on',
      () => post(collector.url, large()),
      ({ status }) => status === 200,
    )
    close()
    expect(await collector.end()).toBe(0)
  })

  it('what was given up still counts until the connection moves again', async () => {
    const publisher = createPublisher(broker.nats, { timeoutMs: 300, maxPendingBytes: 3 * MB })
    const data = new Uint8Array(512 * 1024)
    await broker.kill('SIGSTOP')
    try {
      const first = await Promise.allSettled(Array.from({ length: 6 }, () => publisher.publish('rejected.0', data)))
      expect(first.map(result => result.status === 'rejected' && result.reason.code)).toEqual(
        new Array(6).fill('timeout'),
      )
      await expect(publisher.publish('rejected.0', data)).rejects.toMatchObject({ code: 'overloaded' })
    } finally {
      broker.resume()
    }
    await until(
      'it takes more',
      () =>
        publisher.publish('rejected.0', data).then(
          () => true,
          () => false,
        ),
      Boolean,
    )
    publisher.close()
  })
})

describe('two collectors behind nginx', () => {
  it('are restarted one after the other under load, and nobody notices', async () => {
    const collectors = [await broker.program(WITHOUT_LIMITS_ENV), await broker.program(WITHOUT_LIMITS_ENV)]
    await putSite(collectors[0]!.url, 'rolling')
    const nginx = await startNginx(collectors.map(({ port }) => port))
    const load = startLoad(nginx.url, 'rolling', 8)
    try {
      await until(
        'some are stored',
        () => load.acknowledged.length,
        count => count > 100,
      )
      for (const collector of collectors) {
        expect(await collector.end()).toBe(0)
        await collector.start()
        const before = load.acknowledged.length
        await until(
          'more are stored',
          () => load.acknowledged.length,
          count => count > before + 100,
        )
      }
    } finally {
      await load.stop()
      await nginx.stop()
    }
    expect([...load.answers.keys()]).toEqual([200])
    expect((await storedIds('rolling')).sort()).toEqual([...load.acknowledged].sort())
  })
})
