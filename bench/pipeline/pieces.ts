import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { connectNats, createLog, provision, sharedSettings } from '@slotstream/runtime'
import { obtainNatsServer } from '@slotstream/supervisor'
import { createChildren } from '../support/servers/children.js'
import { freePorts } from '../support/servers/free-ports.js'
import { SITE } from '../support/servers/system.js'

const AGGREGATOR = fileURLToPath(new URL('../../../aggregator/dist/main.js', import.meta.url))
const CLICKHOUSE = fileURLToPath(new URL('../../../clickhouse/dist/main.js', import.meta.url))
const READY_DEADLINE_MS = 60_000

/** Starts nats-server and ClickHouse without collector and aggregators, which are started when the backlog is there. */
export async function startPieces() {
  const [natsPort, clickhousePort] = (await freePorts(2)) as [number, number]
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-bench-'))
  const natsServer = await obtainNatsServer({ dataDir, log: console.error })
  const account = { url: `http://127.0.0.1:${clickhousePort}`, username: 'slotstream', password: 'bench' }
  const natsUrl = `nats://127.0.0.1:${natsPort}`
  const clickhouse = createClient({
    ...account,
    request_timeout: 600_000,
    log: { level: ClickHouseLogLevel.OFF },
  })
  const { start, end, endAll } = createChildren()

  start(natsServer, ['-js', '-sd', join(dataDir, 'nats'), '-a', '127.0.0.1', '-p', String(natsPort)])
  start(process.execPath, [CLICKHOUSE], {
    CLICKHOUSE_PORT: String(clickhousePort),
    CLICKHOUSE_DATA_DIR: join(dataDir, 'clickhouse'),
    CLICKHOUSE_PASSWORD: account.password,
    UV_THREADPOOL_SIZE: '24',
    LOG_LEVEL: 'error',
  })
  const log = createLog('bench')
  log.level = 'error'
  const nats = await connectNats(natsUrl, 'bench', log)
  const { partitions } = await provision(nats, sharedSettings({}), log)
  const deadline = Date.now() + READY_DEADLINE_MS
  while (!(await clickhouse.ping({ select: true })).success) {
    if (Date.now() > deadline) throw new Error('ClickHouse did not answer')
    await new Promise(resolve => setTimeout(resolve, 100))
  }

  return {
    nats,
    partitions,
    clickhouse,
    dataDir,
    /** Starts an aggregator; the returned function ends it. */
    async aggregator(roles: string): Promise<() => Promise<void>> {
      const [port] = await freePorts(1)
      const child = start(process.execPath, [AGGREGATOR, '--roles', roles], {
        NATS_URL: natsUrl,
        CLICKHOUSE_URL: account.url,
        CLICKHOUSE_USER: account.username,
        CLICKHOUSE_PASSWORD: account.password,
        AGGREGATOR_PORT: String(port),
        LOG_LEVEL: 'error',
      })
      return () => end(child)
    },
    async rows<Row>(query: string): Promise<Row[]> {
      return (await clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>()
    },
    /** Events of the site in ClickHouse; 0 as long as there is no table. */
    async stored(): Promise<number> {
      const [row] = await this.rows<{ n: string }>(
        `SELECT count() AS n FROM slotstream.events WHERE site_id = '${SITE}'`,
      ).catch(() => [])
      return Number(row?.n ?? 0)
    },
    async stop(): Promise<void> {
      await nats.close()
      await clickhouse.close()
      await endAll()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export type Pieces = Awaited<ReturnType<typeof startPieces>>
