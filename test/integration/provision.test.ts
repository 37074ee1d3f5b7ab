import { setTimeout as pause } from 'node:timers/promises'
import { COLLECTOR_BUCKETS } from '@slotstream/protocol'
import { connectNats, createLog, type Nats, openInstallation, provision, sharedSettings } from '@slotstream/runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startNatsServer } from '../support/nats-server.js'

const log = createLog('test')
log.level = 'silent'

let server: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats

beforeEach(async () => {
  server = await startNatsServer()
  nats = await connectNats(server.url, 'test', log)
})

afterEach(async () => {
  await nats?.close()
  await server?.stop()
})

const make = (env: NodeJS.ProcessEnv) => provision(nats, sharedSettings(env), log)
const configOf = async (stream: string) => (await nats.manager.streams.info(stream)).config
const names = async () => (await nats.manager.streams.names().next()).filter(name => !name.startsWith('KV_')).sort()

describe('provisioning', () => {
  it('makes one stream of each kind, and brings limits up to the settings', async () => {
    const { partitions, streams } = await make({})
    expect(partitions).toBe(32)
    expect(streams.events).toHaveLength(1)
    expect(await names()).toEqual([
      'DEAD_LETTERS',
      'DECISIONS',
      'DELIVERIES',
      'EVENTS',
      'LEARNING',
      'REJECTED',
      'SIGNALS',
    ])
    expect(await configOf('EVENTS')).toMatchObject({ subjects: ['events.*'], max_age: 7 * 86_400e9, max_bytes: -1 })
    await nats.js.publish('events.3', 'kept')
    await make({ STREAM_RETENTION_DAYS: '2', STREAM_MAX_GB: '5' })
    expect(await configOf('EVENTS')).toMatchObject({ max_age: 2 * 86_400e9, max_bytes: 5_000_000_000 })
    expect((await nats.manager.streams.info('EVENTS')).state.messages).toBe(1)
  })

  it('makes buckets of an earlier version keep more revisions, and loses none of what they have', async () => {
    const { kvm } = nats
    const earlier = await kvm.create('catalog', { history: 1 })
    await earlier.put('shop.slot.x', '{}')
    const { buckets } = await make({})
    expect(await configOf('KV_catalog')).toMatchObject({ max_msgs_per_subject: 16 })
    expect((await buckets.catalog.get('shop.slot.x'))?.string()).toBe('{}')
    expect(await configOf('KV_definitions')).toMatchObject({ max_msgs_per_subject: 64 })
    await make({})
  })

  it('makes several streams of a kind when asked, each with a range of partitions', async () => {
    await make({ PARTITIONS: '8', EVENTS_STREAMS: '3' })
    expect(await names()).toEqual([
      'DEAD_LETTERS',
      'DECISIONS',
      'DELIVERIES',
      'EVENTS',
      'EVENTS_1',
      'EVENTS_2',
      'LEARNING',
      'REJECTED',
      'SIGNALS',
    ])
    for (let partition = 0; partition < 8; partition++) await nats.js.publish(`events.${partition}`, 'x')
    const counts = await Promise.all(
      ['EVENTS', 'EVENTS_1', 'EVENTS_2'].map(async name => (await nats.manager.streams.info(name)).state.messages),
    )
    expect(counts).toEqual([2, 3, 3])
  })

  it('keeps the layout of an installation, and says how to change it when another one is asked for', async () => {
    await make({ PARTITIONS: '8', EVENTS_STREAMS: '2' })
    const { partitions, streams } = await make({ PARTITIONS: '16' })
    expect(partitions).toBe(8)
    expect(streams.events.map(({ name }) => name)).toEqual(['EVENTS', 'EVENTS_1'])
    const said: string[] = []
    const warning = { ...log, warn: (line: string) => said.push(line) } as unknown as typeof log
    expect((await provision(nats, sharedSettings({ EVENTS_STREAMS: '4' }), warning)).streams.events).toHaveLength(2)
    expect(said).toEqual([
      'EVENTS_STREAMS is 4, and this installation has 2: "npm run streams -- events 4" changes it, or leave the variable out',
    ])
  })

  it('takes an installation from before the setting as one stream of each kind', async () => {
    await nats.kvm.create('meta', { history: 1 }).then(meta => meta.put('installation', '{"partitions":8}'))
    const { streams } = await make({ REJECTED_STREAMS: '2' })
    expect(streams.events.map(({ subjects }) => subjects)).toEqual([['events.*']])
    expect(streams.rejected).toHaveLength(1)
  })

  it('makes the stream of a kind that an installation was made without', async () => {
    const meta = await nats.kvm.create('meta', { history: 1 })
    await meta.put('installation', '{"partitions":8,"streams":{"events":2,"decisions":1,"rejected":1}}')
    const { streams } = await make({})
    expect(streams.events).toHaveLength(2)
    expect(streams.signals.map(({ name, subjects }) => [name, ...subjects])).toEqual([['SIGNALS', 'signals.*']])
    expect(await names()).toContain('SIGNALS')
  })

  it('refuses more streams than partitions', async () => {
    await expect(make({ PARTITIONS: '4', EVENTS_STREAMS: '5' })).rejects.toThrow('there are 4 partitions to share')
  })
})

describe('opening an installation', () => {
  const streams = async () => (await nats.manager.streams.names().next()).toSorted()

  it('waits until somebody made it, and makes nothing itself', async () => {
    const opening = openInstallation(nats, COLLECTOR_BUCKETS, log)
    // Long enough for a look, which is every half second at the least.
    await pause(1_000)
    expect(await streams()).toEqual([])
    const made = await make({ PARTITIONS: '8', EVENTS_STREAMS: '2' })
    const opened = await opening
    expect({ ...opened, buckets: 0, privacy: 0 }).toEqual({ ...made, buckets: 0, privacy: 0 })
    expect(opened.privacy.keyed('u-1')).toBe(made.privacy.keyed('u-1'))
    await made.buckets.sites.put('shop', 'x')
    expect((await opened.buckets.sites.get('shop'))?.string()).toBe('x')
  })

  it('waits for what is still missing of one that is being made, and leaves what is there as it is', async () => {
    await make({ PARTITIONS: '8', STREAM_MAX_GB: '3' })
    await nats.manager.streams.delete('REJECTED')
    await nats.manager.streams.delete('KV_jobs')
    const before = await streams()
    const opening = openInstallation(nats, COLLECTOR_BUCKETS, log)
    await pause(1_000)
    expect(await streams()).toEqual(before)
    await make({ STREAM_MAX_GB: '3' })
    expect((await opening).streams.events[0]?.name).toBe('EVENTS')
    expect((await configOf('EVENTS')).max_bytes).toBe(3_000_000_000)
  })
})
