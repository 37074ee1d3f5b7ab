import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { EventEnvelope, StoredMessage } from '@slotstream/protocol'
import {
  connectNats,
  createDeadLetters,
  createMetrics,
  createPublisher,
  provision,
  readStream,
  sharedSettings,
} from '@slotstream/runtime'
import { type LoaderDeps, startLoader } from '#aggregator/warehouse/load/loader.js'
import { storeRejected } from '#aggregator/warehouse/load/write/store-rejected.js'
import { warehouseMetrics } from '#aggregator/warehouse/metrics.js'
import { positionKeeper } from '#aggregator/warehouse/positions/position.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { SPECS, type StreamSpec } from '#aggregator/warehouse/tables/specs.js'
import { type Table, warehouseTable } from '#aggregator/warehouse/tables/table.js'
import { freePorts } from '../support/free-ports.js'
import { copyMigratedTables } from '../support/migrated-tables.js'
import { startNatsServer } from '../support/nats-server.js'
import { quietLog } from '../support/quiet-log.js'
import { until } from '../support/until.js'

/** The embedded ClickHouse as a process of its own, which can be killed and started again on the same data. */
export async function startClickHouse() {
  const [port] = await freePorts(1)
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-clickhouse-'))
  const program = fileURLToPath(new URL('../../clickhouse/dist/main.js', import.meta.url))
  const account = { url: `http://127.0.0.1:${port}`, username: 'slotstream', password: 'secret' }
  const client = createClient({ ...account, request_timeout: 60_000, log: { level: ClickHouseLogLevel.OFF } })
  let running: ChildProcess | undefined

  async function start() {
    running = spawn(process.execPath, [program], {
      env: {
        ...process.env,
        UV_THREADPOOL_SIZE: '24',
        CLICKHOUSE_PORT: String(port),
        CLICKHOUSE_DATA_DIR: dataDir,
        CLICKHOUSE_PASSWORD: account.password,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await until(
      'ClickHouse answers',
      () => client.ping({ select: true }),
      ({ success }) => success,
    )
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL') {
    const ending = running
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = new Promise(resolve => ending.once('exit', resolve))
    ending.kill(signal)
    await gone
  }

  /** Starts again with tables that no test has touched: sooner there than by all migrations. */
  async function renew() {
    await kill()
    await rm(dataDir, { recursive: true, force: true })
    await copyMigratedTables(dataDir)
    await start()
  }

  await copyMigratedTables(dataDir)
  await start()
  return {
    account,
    client,
    start,
    kill,
    renew,
    async stop() {
      await client.close()
      await kill('SIGTERM')
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export type ClickHouse = Awaited<ReturnType<typeof startClickHouse>>

/** How each table is made, by its name, as long as no test has changed any. */
let untouched: Map<string, string> | undefined

/** Empties the tables and drops what a test has added; begins anew where one was changed. */
async function emptyTables({ client, renew }: ClickHouse): Promise<void> {
  const made = async () => {
    const result = await client.query({
      query: `SELECT name, engine, create_table_query AS query FROM system.tables WHERE database = 'slotstream'
              ORDER BY engine NOT LIKE '%View', name`,
      format: 'JSONEachRow',
    })
    return result.json<{ name: string; engine: string; query: string }>()
  }
  const queries = (tables: Awaited<ReturnType<typeof made>>) => new Map(tables.map(({ name, query }) => [name, query]))
  const tables = await made()
  const found = queries(tables)
  // The first time they are those that were copied.
  if (found.size > 0) untouched ??= found
  if (!untouched || [...untouched].some(([name, query]) => found.get(name) !== query)) {
    await renew()
    await migrate(client, await readMigrations())
    untouched = queries(await made())
    return
  }
  const isAdded = ({ name }: { name: string }) => !untouched?.has(name)
  // Views before what they write to.
  for (const { name } of tables.filter(isAdded)) await client.command({ query: `DROP TABLE slotstream.${name} SYNC` })
  const filled = tables.filter(
    table => !isAdded(table) && table.engine.includes('MergeTree') && table.name !== 'migrations',
  )
  await Promise.all(filled.map(({ name }) => client.command({ query: `TRUNCATE TABLE slotstream.${name} SYNC` })))
}

/** A fresh broker and empty tables, and loaders with which a test can tamper. */
export async function createWorld(clickhouse: ClickHouse, layout: NodeJS.ProcessEnv = {}) {
  const { client } = clickhouse
  await emptyTables(clickhouse)
  const server = await startNatsServer()
  const log = quietLog()
  const nats = await connectNats(server.url, 'test', log)
  const installation = await provision(nats, sharedSettings(layout), log)
  const publisher = createPublisher(nats)
  const storeDeadLetter = createDeadLetters({ nats, publisher, role: 'warehouse', metrics: createMetrics(), log })
  const loaders: ReturnType<typeof startLoader>[] = []

  async function query<T>(sql: string): Promise<T[]> {
    const result = await client.query({ query: sql, format: 'JSONEachRow' })
    return result.json<T>()
  }

  return {
    /** Where the broker is. */
    url: server.url,
    nats,
    publisher,
    installation,
    log,
    query,
    async number(sql: string): Promise<number> {
      const [row] = await query<Record<string, unknown>>(sql)
      return Number(Object.values(row ?? {})[0])
    },
    table: (spec: StreamSpec = SPECS.events): Table => warehouseTable(client, spec),
    /** The table of events, as a writer sees it that is killed between its insert and the answer. */
    tableWithoutAnswers(): Table {
      const table = warehouseTable(client, SPECS.events)
      return {
        ...table,
        async insert(lines, token) {
          await table.insert(lines, token)
          return new Promise(() => {})
        },
      }
    },
    /** Starts a loader as the role does, but for what the test replaces. */
    load(replaced: Partial<LoaderDeps> = {}) {
      const spec = replaced.spec ?? SPECS.events
      const loader = startLoader({
        spec,
        table: warehouseTable(client, spec),
        position: positionKeeper(installation.buckets.positions, spec.stream),
        read: from => readStream(nats, spec.stream, { from, log }),
        lastSequence: async () => (await nats.manager.streams.info(spec.stream)).state.last_seq,
        storeRejected: rejected => storeRejected(nats, spec.stream, rejected),
        deadLetter: (seq, error) => storeDeadLetter(spec.stream, seq, error),
        limits: { maxRows: 1_000, maxBytes: 16 * 1024 * 1024, maxAgeMs: 20 },
        verify: async () => true,
        metrics: warehouseMetrics(createMetrics()),
        log,
        ...replaced,
      })
      loaders.push(loader)
      return loader
    },
    async publish(messages: StoredMessage[], receivedAt = new Date().toISOString(), siteId = 'demo') {
      const visitorId = messages[0]?.anonymousId ?? ''
      const envelope: EventEnvelope = { siteId, visitorId, receivedAt, messages }
      const { seq } = await nats.js.publish('events.3', JSON.stringify(envelope))
      return seq
    },
    async stop() {
      await Promise.all(loaders.map(loader => loader.stop()))
      publisher.close()
      await nats.close()
      await server.stop()
    },
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>

let made = 0

/** A checked message of a visitor, as the collector stores it. */
export function stored(fields: Partial<StoredMessage> = {}): StoredMessage {
  const now = new Date().toISOString()
  return {
    messageId: `m-${++made}`,
    type: 'track',
    event: 'Tested',
    anonymousId: 'v1',
    timestamp: now,
    originalTimestamp: now,
    sentAt: now,
    ...fields,
  }
}
