import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, errors, type NatsConnection } from '@nats-io/transport-node'
import type { SignalEnvelope, WebhookDelivery } from '@slotstream/protocol'
import { connectNats, createLog, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { copyMigratedTables } from '../support/migrated-tables.js'
import { startNatsServer } from '../support/nats-server.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'
import { startReceiver } from '../support/webhook-receiver.js'

const log = createLog('test')
log.level = 'silent'

/** Webhooks at this machine, whose signals are soon given up. */
const WEBHOOKS = { WEBHOOK_ALLOW_PRIVATE: '1', WEBHOOK_RETRY_S: '1', WEBHOOK_GIVE_UP_S: '1' }

let system: System
let address: string
let passwords: Record<string, string>

/** A data folder of the time when NATS took everybody's connection, with a site in it. */
async function olderDataFolder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-test-'))
  await copyMigratedTables(join(dataDir, 'clickhouse'))
  const server = await startNatsServer({ storeDir: join(dataDir, 'nats') })
  const nats = await connectNats(server.url, 'test', log)
  const { buckets } = await provision(nats, sharedSettings({ NATS_URL: server.url }), log)
  await buckets.sites.put('older', JSON.stringify({ siteId: 'older', writeKeys: ['older'], allowedOrigins: ['*'] }))
  await nats.close()
  await server.kill('SIGTERM')
  return dataDir
}

beforeAll(async () => {
  system = await startSystem(WEBHOOKS, await olderDataFolder())
  const url = new URL(system.natsUrl)
  address = `nats://${url.host}`
  passwords = JSON.parse(readFileSync(join(system.dataDir, 'nats-users.json'), 'utf8')).passwords
})
afterAll(() => system?.stop())

const collector = (path: string, body: object, key = 'demo') =>
  fetch(`${system.collectorUrl}${path}`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${key}:`)}` },
    body: JSON.stringify(body),
  })

/** A connection as a role, or as none. */
async function connection(account: { user?: string; pass?: string; inboxPrefix?: string } = {}) {
  const made = await connect({ servers: address, reconnect: false, timeout: 10_000, ...account })
  onTestFinished(() => made.close())
  return made
}

const as = (role: string) => connection({ user: role, pass: passwords[role] ?? '', inboxPrefix: `_INBOX.${role}` })

/** What the server refuses of some operations, in order. */
async function refusals(nats: NatsConnection, operations: { publish?: string[]; subscribe?: string[] }) {
  const refused: string[] = []
  void (async () => {
    for await (const status of nats.status())
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        refused.push(`${status.error.operation} ${status.error.subject}`)
  })()
  for (const subject of operations.subscribe ?? []) nats.subscribe(subject, { callback: () => {} })
  for (const subject of operations.publish ?? []) nats.publish(subject, '{}')
  await nats.flush()
  // A second round: the first one's errors were sent before its answer, and have been handled by now.
  await nats.flush()
  return refused
}

describe('a process without a password', () => {
  it.each([
    ['no user', {}],
    ['a wrong password', { user: 'operator', pass: 'guess' }],
    ['an empty password', { user: 'operator', pass: '' }],
    ['a user that is none', { user: 'admin', pass: 'admin' }],
  ])('plants no site, reads no profile and sends no event: %s', async (_name, account) => {
    await expect(connection(account)).rejects.toThrow('Authorization Violation')
  })

  it('nor through the data of an installation from before there were users, which is all still there', async () => {
    const { sites } = (await system.admin('GET', '/sites')) as { sites: { siteId: string }[] }
    expect(sites.map(({ siteId }) => siteId).toSorted()).toEqual(['demo', 'older'])
    const message = { anonymousId: 'v', event: 'Seen', messageId: 'older-1' }
    expect((await collector('/v1/track', message, 'older')).status).toBe(200)
  })

  it('is told what to do when it is one of ours', async () => {
    const connecting = connectNats(address, 'test', log)
    await expect(connecting).rejects.toThrow(/refuses a connection without a user: set NATS_USER and NATS_PASSWORD/)
  })
})

describe('the user of a part', () => {
  /** What the operator alone may do, and what is another part's. */
  const DESTRUCTIVE = [
    '$JS.API.STREAM.DELETE.EVENTS',
    '$JS.API.STREAM.PURGE.EVENTS',
    '$JS.API.STREAM.MSG.DELETE.EVENTS',
    '$JS.API.STREAM.RESTORE.EVENTS',
    '$JS.API.STREAM.SNAPSHOT.EVENTS',
    '$JS.API.ACCOUNT.PURGE.$G',
    '$JS.API.META.LEADER.STEPDOWN',
    '$SYS.REQ.SERVER.PING',
  ]
  // Those that delete a person remove single messages.
  const isNotErasing = (subject: string) => !subject.includes('MSG.DELETE')
  const SITES = [
    '$KV.sites.planted',
    '$KV.catalog.demo.content.planted',
    '$KV.plans.demo',
    '$KV.definitions.demo.features',
    '$KV.webhooks.demo.planted',
  ]
  const PROVISION = ['$JS.API.STREAM.CREATE.X', '$JS.API.STREAM.UPDATE.EVENTS']
  const LISTEN = ['>', '*', 'events.*', '$KV.>', '$JS.>', '_INBOX.>', '_INBOX.operator.>']

  it.each([
    {
      role: 'collector',
      publish: [
        ...DESTRUCTIVE,
        ...PROVISION,
        'signals.0',
        'dead.x',
        '$KV.profiles.0.demo.v',
        '$KV.leases.x',
        '$KV.meta.x',
        '$KV.webhook_letters.x',
        'deliveries.0',
        'learning.0',
      ],
      subscribe: [
        ...LISTEN,
        'webhook.*',
        'decide.*',
        'decide.0',
        'profile.*',
        'profile.0',
        'preview.*',
        'content.*',
        '_INBOX.aggregator.>',
        '_INBOX.warehouse.>',
      ],
    },
    {
      role: 'aggregator',
      publish: [
        ...DESTRUCTIVE.filter(isNotErasing),
        ...SITES,
        'decide.0',
        'preview.0',
        'webhook.0',
        '$KV.tombstones.x',
      ],
      subscribe: [...LISTEN, '_INBOX.collector.>', '_INBOX.warehouse.>'],
    },
    {
      role: 'warehouse',
      publish: [
        ...DESTRUCTIVE.filter(isNotErasing),
        ...SITES,
        'decide.0',
        'preview.0',
        'webhook.0',
        '$KV.profiles.0.demo.v',
      ],
      subscribe: [
        ...LISTEN,
        'decide.*',
        'profile.*',
        'preview.*',
        'content.*',
        '_INBOX.collector.>',
        '_INBOX.aggregator.>',
      ],
    },
    {
      role: 'consumer',
      publish: [
        ...DESTRUCTIVE,
        ...SITES,
        ...PROVISION,
        'events.0',
        'signals.0',
        'learning.0',
        'profile.0',
        'webhook.0',
        '$KV.profiles.0.demo.v',
        '$JS.API.STREAM.MSG.GET.EVENTS',
        '$JS.API.STREAM.MSG.GET.SIGNALS',
        '$JS.API.DIRECT.GET.EVENTS',
        '$JS.API.CONSUMER.CREATE.EVENTS.reader',
        '$JS.API.CONSUMER.MSG.NEXT.EVENTS.reader',
        '$JS.API.CONSUMER.CREATE.KV_profiles.reader.$KV.profiles.>',
        '$JS.ACK.EVENTS.x',
      ],
      subscribe: [...LISTEN, 'decide.*', 'webhook.*', 'deliveries.*', 'learning.*', '_INBOX.collector.>'],
    },
    {
      role: 'supervisor',
      publish: [
        ...DESTRUCTIVE,
        ...SITES,
        ...PROVISION,
        'events.0',
        'profile.0',
        '$JS.API.STREAM.MSG.GET.EVENTS',
        '$KV.meta.x',
      ],
      subscribe: [...LISTEN, 'decide.*', '_INBOX.collector.>'],
    },
  ])('$role may do nothing that it need not', async ({ role, publish, subscribe }) => {
    const refused = await refusals(await as(role), { publish, subscribe })
    expect(refused.toSorted()).toEqual(
      [
        ...publish.map(subject => `publish ${subject}`),
        ...subscribe.map(subject => `subscription ${subject}`),
      ].toSorted(),
    )
  })

  it('collector reads buckets, and no message of a visitor', async () => {
    const nats = await as('collector')
    const READING = [
      '$JS.API.STREAM.MSG.GET.EVENTS',
      '$JS.API.DIRECT.GET.EVENTS',
      '$JS.API.DIRECT.GET.EVENTS.events.0',
      '$JS.API.CONSUMER.CREATE.EVENTS',
      '$JS.API.CONSUMER.CREATE.EVENTS.reader',
      '$JS.API.CONSUMER.CREATE.EVENTS.reader.events.0',
      '$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.reader',
      '$JS.API.CONSUMER.MSG.NEXT.EVENTS.reader',
      // Nor a profile, of whichever generation, nor what only aggregators need.
      ...['profiles', 'profiles_1', 'timers', 'positions', 'leases', 'webhook_letters'].flatMap(bucket => [
        `$JS.API.STREAM.MSG.GET.KV_${bucket}`,
        `$JS.API.DIRECT.GET.KV_${bucket}.$KV.${bucket}.x`,
        `$JS.API.CONSUMER.CREATE.KV_${bucket}.reader.$KV.${bucket}.>`,
        `$JS.API.CONSUMER.CREATE.KV_${bucket}.reader.$KV.sites.>`,
      ]),
    ]
    expect(await refusals(nats, { publish: READING })).toEqual(READING.map(subject => `publish ${subject}`))
    // A filter that is another than the subject's, or one more, is the server's to refuse.
    for (const [stream_name, filters] of Object.entries({
      EVENTS: [{ filter_subject: 'events.*' }, { filter_subjects: ['events.*'] }, {}],
      KV_profiles: [{ filter_subject: '$KV.profiles.>' }, { filter_subject: '$KV.sites.x' }, {}],
    }))
      for (const filter of filters) {
        const config = { name: 'reader', deliver_subject: '_INBOX.collector.x', ack_policy: 'none', ...filter }
        const request = JSON.stringify({ stream_name, config })
        const answer = await nats.request('$JS.API.CONSUMER.CREATE.KV_sites.reader.$KV.sites.x', request)
        expect(answer.json<{ error?: object }>().error, JSON.stringify({ stream_name, ...filter })).toBeDefined()
      }
  })

  it('may do what it needs: the product works, and nothing is rejected', async () => {
    await system.admin('PUT', '/sites/shop', { writeKeys: ['shop'], allowedOrigins: ['*'] })
    const visitor = { anonymousId: 'somebody' }
    await collector('/v1/track', { ...visitor, event: 'Seen', messageId: 'm-1' })
    await collector('/v1/track', { ...visitor, messageId: 'm-2' })
    const slots = await collector('/v1/slots', { anonymousId: 'somebody', slots: [{ id: 'hero' }] })
    expect(await slots.json()).toMatchObject({ decisions: [{ outcome: 'served' }] })
    await until(
      'rows of events, decisions and rejected messages are there',
      () =>
        system.query<{ n: number }>(
          `SELECT (SELECT count() > 0 FROM slotstream.events WHERE message_id = 'm-1')
            + (SELECT count() > 0 FROM slotstream.decisions) + (SELECT count() > 0 FROM slotstream.rejected_events) AS n`,
        ),
      rows => rows[0]?.n === 3,
    )
    await until(
      'the profile is there',
      () => system.admin('GET', '/sites/demo/profiles/somebody').catch(() => undefined),
      found => found !== undefined,
    )
    await system.admin('GET', '/pipeline')
    await declareFeatures()
    await refuseTraits()
    await deleteSharedBrowser()
    await readSignals(await deliverSignal())
    await system.kill('aggregator')
    await until(
      'the aggregator is there again, and serves',
      async () => (await collector('/v1/slots', { anonymousId: 'somebody', slots: [{ id: 'hero' }] })).json(),
      answer => (answer as { decisions: { outcome: string }[] }).decisions[0]?.outcome === 'served',
    )
    for (const part of ['collector', 'aggregator', 'warehouse'])
      expect(readFileSync(join(system.dataDir, 'logs', `${part}.log`), 'utf8')).not.toMatch(/does not permit/)
  })
})

/** Definitions with their history, which only the collector may write and read. */
async function declareFeatures(): Promise<void> {
  const put = (features: object[]) => system.admin('PUT', '/sites/shop/features', { features })
  const { revision } = (await put([{ name: 'seen', source: { event: 'Seen' }, aggregate: 'count' }])) as {
    revision: number
  }
  await put([])
  await system.admin('POST', '/sites/shop/features/rollback', { revision })
  expect(await system.admin('GET', '/sites/shop/features/history')).toHaveLength(3)
  await system.admin('DELETE', '/sites/shop')
}

/** More traits than a profile holds: the aggregator publishes the rejected ones. */
async function refuseTraits(): Promise<void> {
  for (let round = 0; round < 8; round++) {
    const traits = Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`t${round}-${n}`, 'x'.repeat(900)]))
    await collector('/v1/identify', { anonymousId: 'somebody', messageId: `traits-${round}`, traits })
  }
  await until(
    'the rejected traits are there',
    () =>
      system.query<{ n: number }>(
        "SELECT count() AS n FROM slotstream.rejected_events WHERE code = 'profile_too_large'",
      ),
    rows => (rows[0]?.n ?? 0) > 0,
  )
}

/** Two users of a browser in one batch: the warehouse writes their message again without the one that is deleted. */
async function deleteSharedBrowser(): Promise<void> {
  const message = { type: 'track', event: 'Seen', anonymousId: 'shared' }
  const batch = ['leaves', 'stays'].map(userId => ({ ...message, messageId: `m-${userId}`, userId }))
  await collector('/v1/batch', { batch })
  await until(
    'both rows are there',
    () => system.query<{ n: number }>("SELECT count() AS n FROM slotstream.events WHERE anonymous_id = 'shared'"),
    rows => rows[0]?.n === 2,
  )
  const { jobId } = (await system.admin('DELETE', '/sites/demo/people/leaves')) as { jobId: string }
  await until(
    'the person is deleted',
    () => system.admin('GET', `/jobs/${jobId}`) as Promise<{ state: string }>,
    job => job.state === 'done',
    { timeoutMs: 60_000 },
  )
}

/** A signal that becomes a dead letter, and is replayed. Resolves to its id. */
async function deliverSignal(): Promise<string> {
  const receiver = await startReceiver(() => 500)
  onTestFinished(() => receiver.stop())
  const path = '/sites/demo/webhooks'
  const { id } = (await system.admin('POST', path, { url: receiver.url, signals: ['repeated_view'] })) as { id: string }
  for (let view = 0; view < 3; view++) {
    const properties = { product_id: 'p1' }
    await collector('/v1/track', {
      anonymousId: 'keen',
      event: 'Product Viewed',
      messageId: `view-${view}`,
      properties,
    })
  }
  const deliveryIs = (state: string) =>
    until(
      `the delivery is ${state}`,
      async () => (await system.admin('GET', `${path}/${id}/deliveries`)) as { deliveries: WebhookDelivery[] },
      ({ deliveries }) => deliveries.some(delivery => delivery.state === state),
    )
  const { deliveries } = await deliveryIs('dead')
  receiver.answer = () => 200
  await system.admin('POST', `${path}/${id}/replay`, {})
  await deliveryIs('delivered')
  await system.admin('DELETE', `${path}/${id}`)
  return deliveries[0]!.signalId
}

/** A program that is none of ours reads signals as docs/webhooks.md says. */
async function readSignals(signalId: string): Promise<void> {
  const nats = await as('consumer')
  const manager = await jetstreamManager(nats, { checkAPI: false })
  await manager.consumers.add('SIGNALS', { durable_name: 'crm', ack_policy: AckPolicy.Explicit })
  const message = await (await jetstream(nats).consumers.get('SIGNALS', 'crm')).next({ expires: 5_000 })
  expect(message!.json<SignalEnvelope>().signals.map(signal => signal.signalId)).toContain(signalId)
  expect(await message!.ackAck()).toBe(true)
}

describe('commands of an operator', () => {
  const run = (name: string, env: NodeJS.ProcessEnv) => {
    const program = fileURLToPath(new URL(`../../aggregator/dist/commands/${name}/main.js`, import.meta.url))
    return promisify(execFile)(process.execPath, [program], { env: { PATH: process.env.PATH, ...env } })
  }

  it('find the operator’s user in the data folder, by the address in it or the same one in NATS_URL', async () => {
    const { dataDir } = system
    const { port } = new URL(address)
    const addresses = [{}, { NATS_PORT: port }, { NATS_URL: address }, { NATS_URL: `localhost:${port}` }]
    for (const env of addresses)
      expect((await run('streams', { DATA_DIR: dataDir, ...env })).stdout).toContain('EVENTS: partitions 0 to 31')
    expect((await run('dead-letters', { DATA_DIR: dataDir })).stdout).not.toContain('refuses')
  })

  it('take NATS_USER and NATS_PASSWORD, a file with the password, or user information in NATS_URL', async () => {
    const password = passwords.operator ?? ''
    for (const env of [
      { NATS_URL: address, NATS_USER: 'operator', NATS_PASSWORD: password },
      { NATS_URL: system.natsUrl },
      { NATS_URL: address.replace('//', `//operator:${encodeURIComponent(password)}@`) },
    ])
      expect((await run('streams', env)).stdout).toContain('EVENTS: partitions')
  })

  it('say what is missing without them, and no password in any message', async () => {
    const failure = (env: NodeJS.ProcessEnv) =>
      run('streams', env).then(
        () => expect.fail('it was let in'),
        (error: { stderr: string }) => error.stderr,
      )
    expect(await failure({ NATS_URL: address })).toContain('refuses a connection without a user: set NATS_USER')
    const wrong = await failure({ NATS_URL: address.replace('//', '//operator:my-password@') })
    expect(wrong).toContain(`NATS at ${address} refuses the user operator`)
    expect(wrong).not.toContain('my-password')
  })

  it('send the password of the data folder to no other address', async () => {
    const { natsAccess } = await import('@slotstream/runtime')
    const of = (NATS_URL: string) => natsAccess({ DATA_DIR: system.dataDir, NATS_URL })
    expect(of(address).user).toBe('operator')
    const { port } = new URL(address)
    for (const other of [`nats://10.0.0.1:${port}`, `nats://127.0.0.1:1`, `${address},nats://evil.example:${port}`])
      expect(of(other)).toEqual({ servers: other.split(',') })
  })
})
