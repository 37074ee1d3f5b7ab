import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@clickhouse/client'
import type { Content, Slot } from '@slotstream/protocol'
import { freePorts } from './free-ports.js'
import { WITHOUT_LIMITS } from './without-limits.js'

/** Root of this checkout. */
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
const ADMIN_TOKEN = 'bench'
const READY_DEADLINE_MS = 90_000

type FivePorts = [number, number, number, number, number]

/** Site, and write key, that the benches send to. */
export const SITE = 'bench'

/**
 * Starts the whole product as `npm start` runs it, on free ports with its data in a temporary folder, and an empty
 * site.
 *
 * @param root of a built checkout. Default: this one
 * @param env further settings. Default: no limits of messages and new visitors, because the load comes from one address
 */
export async function startSystem(env: NodeJS.ProcessEnv = WITHOUT_LIMITS, root = ROOT) {
  const [port, aggregatorPort, warehousePort, natsPort, clickhousePort] = (await freePorts(5)) as FivePorts
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-bench-'))
  const supervisor = spawn(process.execPath, [join(root, 'supervisor/dist/main.js')], {
    env: {
      ...process.env,
      PORT: String(port),
      AGGREGATOR_PORT: String(aggregatorPort),
      WAREHOUSE_PORT: String(warehousePort),
      NATS_PORT: String(natsPort),
      CLICKHOUSE_PORT: String(clickhousePort),
      DATA_DIR: dataDir,
      ADMIN_TOKEN,
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  supervisor.stdout.on('data', chunk => {
    output += chunk
  })
  const ended = new Promise<void>(resolve => supervisor.once('exit', () => resolve()))
  // A bench that fails must not leave a system behind, which would slow the next one.
  process.once('exit', () => supervisor.kill('SIGTERM'))
  const collectorUrl = `http://127.0.0.1:${port}`
  const clickhouse = createClient({ url: `http://127.0.0.1:${clickhousePort}` })

  async function stop(): Promise<void> {
    await clickhouse.close()
    supervisor.kill('SIGTERM')
    await ended
    await rm(dataDir, { recursive: true, force: true })
  }

  async function admin(method: string, path: string, body: object, siteId = SITE): Promise<void> {
    const response = await fetch(`${collectorUrl}/v1/admin/sites/${siteId}${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  }

  try {
    const ready = [
      `${collectorUrl}/readyz`,
      ...[aggregatorPort, warehousePort].map(at => `http://127.0.0.1:${at}/readyz`),
    ]
    const deadline = Date.now() + READY_DEADLINE_MS
    while (!(await Promise.all(ready.map(isOk))).every(Boolean)) {
      if (supervisor.exitCode !== null || Date.now() > deadline)
        throw new Error(`the system did not become ready:\n${output}`)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    await admin('PUT', '', { name: 'Bench', writeKeys: [SITE], allowedOrigins: ['*'], debug: false })
  } catch (error) {
    await stop()
    throw error
  }

  const parts = ['collector', 'aggregator', 'warehouse', 'clickhouse', 'nats-server']
  return {
    collectorUrl,
    aggregatorUrl: `http://127.0.0.1:${aggregatorPort}`,
    stop,
    /** The file with the process id of each part. */
    pidFiles: Object.fromEntries(parts.map(name => [name, join(dataDir, 'run', `${name}.pid`)])),
    /** Makes a site beside that of the benches, whose write key is its id. */
    putSite: (siteId: string) =>
      admin('PUT', '', { name: siteId, writeKeys: [siteId], allowedOrigins: ['*'], debug: false }, siteId),
    /** Gives the site its slots and content. */
    putCatalog: (catalog: { slots: Slot[]; content: Content[] }) => admin('POST', '/catalog', catalog),
    /** Returns the rows of a query. */
    async query<Row>(query: string, params: Record<string, unknown> = {}): Promise<Row[]> {
      const result = await clickhouse.query({ query, query_params: params, format: 'JSONEachRow' })
      return result.json<Row>()
    },
  }
}

export type System = Awaited<ReturnType<typeof startSystem>>

/** Waits until the warehouse holds so many events of the site. Returns how many there are. */
export async function untilStored(system: System, events: number, deadlineMs = 180_000): Promise<number> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const [row] = await system.query<{ n: string }>(
      'SELECT count() AS n FROM slotstream.events WHERE site_id = {site: String}',
      {
        site: SITE,
      },
    )
    const stored = Number(row?.n)
    if (stored >= events) return stored
    if (Date.now() > deadline)
      throw new Error(`${stored} of ${events} acknowledged events in ClickHouse after ${deadlineMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 250))
  }
}

async function isOk(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    response => response.ok,
    () => false,
  )
}
