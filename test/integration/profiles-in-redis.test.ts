import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRedis, startRedisServer } from '../support/redis-server.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const REBUILD = fileURLToPath(new URL('../../aggregator/dist/commands/rebuild/main.js', import.meta.url))
const PASSWORD = 'of-redis'
const PERSON = `ann-${randomUUID()}`
const OTHERS = Array.from({ length: 20 }, (_, n) => `visitor-${n}`)

const REDIS = await hasRedis()

/** The person of a profile, and what it is about. */
interface Answer {
  events: number
  person: { userId: string }
}

const connect = (url: string) =>
  createClient({ url })
    .on('error', () => {})
    .connect()

describe.skipIf(!REDIS)('profiles of a whole installation in Redis', () => {
  let redisServer: Awaited<ReturnType<typeof startRedisServer>>
  let redis: Awaited<ReturnType<typeof connect>>
  let system: System

  beforeAll(async () => {
    redisServer = await startRedisServer(PASSWORD)
    redis = await connect(redisServer.url)
    system = await startSystem({ PROFILE_STORE: 'redis', REDIS_URL: redisServer.url, LOG_LEVEL: 'info' })
    await send(OTHERS.map(anonymousId => ({ anonymousId })))
    await send([{ anonymousId: `browser-of-${PERSON}`, userId: PERSON }])
  }, 240_000)
  afterAll(async () => {
    await system?.stop()
    redis?.destroy()
    await redisServer?.stop()
  })

  async function send(visitors: { anonymousId: string; userId?: string }[]): Promise<void> {
    const batch = visitors.map(visitor => ({
      messageId: randomUUID(),
      type: 'track',
      event: 'Product Viewed',
      properties: { product_id: 'tent', category: 'camp' },
      ...visitor,
    }))
    const body = JSON.stringify({ writeKey: 'demo', batch })
    const response = await fetch(`${system.collectorUrl}/v1/batch`, { method: 'POST', body })
    expect(await response.json()).toMatchObject({ accepted: batch.length })
  }

  const profileOf = (visitor: string) =>
    system.admin('GET', `/sites/demo/profiles/${encodeURIComponent(visitor)}`) as Promise<Answer>

  const untilEvents = (visitor: string, count: number) =>
    until(
      `${visitor} has ${count} events`,
      () => profileOf(visitor),
      ({ events }) => events === count,
    )

  /** All that Redis has, as text. */
  async function everything(): Promise<string> {
    const texts: string[] = []
    for (const key of await redis.keys('slotstream:*'))
      texts.push(key, JSON.stringify((await redis.type(key)) === 'hash' ? await redis.hGetAll(key) : ''))
    return texts.join('\n')
  }

  const checkpoints = async (bucket: string) => {
    const keys = await redis.keys(`slotstream:{${bucket}.*}:checkpoint`)
    return keys.length
  }

  it('are stored there with their positions, and loaded by the process after a killed one', async () => {
    await untilEvents(OTHERS[0]!, 1)
    await until('they are stored', everything, text =>
      OTHERS.every(name => text.includes(`"${name}`) || text.includes(name)),
    )
    await until(
      'with positions',
      () => checkpoints('profiles'),
      count => count > 0,
    )
    await system.kill('aggregator')
    await send(OTHERS.map(anonymousId => ({ anonymousId })))
    for (const name of OTHERS) await untilEvents(name, 2)
  }, 120_000)

  it('are in the tables like those in NATS KV', async () => {
    await until(
      'all profiles are loaded',
      () =>
        system.query<{ visitors: number }>(
          `SELECT count() AS visitors FROM slotstream.features WHERE site_id = 'demo' AND feature = 'page_views' OR key = 'camp'`,
        ),
      ([row]) => row!.visitors >= OTHERS.length,
    )
  }, 120_000)

  it('are rebuilt there, and the old ones go', async () => {
    const env = {
      PATH: process.env.PATH,
      NATS_URL: system.natsUrl,
      PROFILE_STORE: 'redis',
      REDIS_URL: redisServer.url,
    }
    const args = [REBUILD, '--from', 'stream', '--only', 'profiles']
    await promisify(execFile)(process.execPath, args, { env, timeout: 120_000 })
    expect(await checkpoints('profiles_1')).toBeGreaterThan(0)
    expect(await redis.keys('slotstream:{profiles.*')).toEqual([])
    await send([{ anonymousId: OTHERS[0]! }])
    await untilEvents(OTHERS[0]!, 3)
  }, 180_000)

  it('are exported with a person, and erased with one', async () => {
    await until('the person is stored', everything, text => text.includes(PERSON))
    const response = await fetch(`${system.collectorUrl}/v1/admin/sites/demo/people/${PERSON}`, {
      headers: { Authorization: `Bearer ${system.adminToken}` },
    })
    const places = (await response.text()).split('\n').flatMap(line => (line ? [JSON.parse(line).place as string] : []))
    expect(places).toContain('redis profiles')
    const { jobId } = (await system.admin('DELETE', `/sites/demo/people/${PERSON}`)) as { jobId: string }
    await until(
      'the person is deleted',
      () => system.admin('GET', `/jobs/${jobId}`) as Promise<{ state: string }>,
      ({ state }) => state === 'done',
    )
    expect(await everything()).not.toContain(PERSON)
    await untilEvents(OTHERS[0]!, 3)
  }, 120_000)

  it('wait where Redis is away, and go on', async () => {
    await redisServer.kill('SIGKILL')
    await send([{ anonymousId: OTHERS[1]! }])
    await redisServer.start()
    await untilEvents(OTHERS[1]!, 3)
  }, 120_000)
})
