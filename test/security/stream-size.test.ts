import { tmpdir } from 'node:os'
import { connectNats, createLog, type Nats, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNatsServer } from '../support/nats-server.js'

const log = createLog('test')
log.level = 'silent'
const MB = 1_000_000

let server: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats

beforeAll(async () => {
  server = await startNatsServer()
  nats = await connectNats(server.url, 'test', log)
})

afterAll(async () => {
  await nats?.close()
  await server?.stop()
})

const make = (env: NodeJS.ProcessEnv) => provision(nats, sharedSettings(env), log)
const sizeOf = async (stream: string) => (await nats.manager.streams.info(stream)).config.max_bytes
const NAMES = ['EVENTS', 'DECISIONS', 'SIGNALS', 'REJECTED']

describe('the size of streams', () => {
  it('is given to those that have none, from the disk, and then stays', async () => {
    await make({})
    expect(await sizeOf('EVENTS')).toBe(-1)
    await make({ NATS_STORE_DIR: tmpdir() })
    const sizes = await Promise.all(NAMES.map(sizeOf))
    expect(Math.min(...sizes)).toBeGreaterThan(MB)
    expect(sizes[0]).toBeLessThanOrEqual(120_000 * MB)
    expect(sizes[0]).toBe(Math.max(...sizes))
    await make({ NATS_STORE_DIR: tmpdir() })
    await make({})
    expect(await Promise.all(NAMES.map(sizeOf))).toEqual(sizes)
  })

  it('is what the setting says, also none', async () => {
    await make({ NATS_STORE_DIR: tmpdir(), STREAM_MAX_GB: '2' })
    expect(await Promise.all(NAMES.map(sizeOf))).toEqual(NAMES.map(() => 2_000 * MB))
    await make({ NATS_STORE_DIR: tmpdir(), STREAM_MAX_GB: '0' })
    expect(await Promise.all(NAMES.map(sizeOf))).toEqual(NAMES.map(() => -1))
  })
})
