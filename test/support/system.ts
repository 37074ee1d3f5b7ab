import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from './free-ports.js'
import { copyMigratedTables } from './migrated-tables.js'
import { until } from './until.js'

export type PartName = 'collector' | 'aggregator' | 'warehouse' | 'clickhouse' | 'nats-server'

/**
 * The whole product, started as `npm start` starts it, on free ports with its data in a temporary folder.
 * `stop` ends it as Ctrl-C does and deletes the data.
 *
 * @param keptDataDir a data folder: of a system that was ended otherwise, or an empty one, in which all begins anew.
 * Default: one where the tables are there already
 * @param node the Node that it runs on. Default: this one
 */
export async function startSystem(env: NodeJS.ProcessEnv = {}, keptDataDir?: string, node = process.execPath) {
  const [port, aggregatorPort, warehousePort, natsPort, clickhousePort] = await freePorts(5)
  const dataDir = keptDataDir ?? (await mkdtemp(join(tmpdir(), 'slotstream-test-')))
  if (!keptDataDir) await copyMigratedTables(join(dataDir, 'clickhouse'))
  const adminToken = 'test-admin-token'
  const output: string[] = []
  const supervisor = spawn(node, [fileURLToPath(new URL('../../supervisor/dist/main.js', import.meta.url))], {
    env: {
      ...process.env,
      PORT: String(port),
      AGGREGATOR_PORT: String(aggregatorPort),
      WAREHOUSE_PORT: String(warehousePort),
      NATS_PORT: String(natsPort),
      CLICKHOUSE_PORT: String(clickhousePort),
      DATA_DIR: dataDir,
      ADMIN_TOKEN: adminToken,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  supervisor.stdout.on('data', chunk => output.push(String(chunk)))
  supervisor.stderr.on('data', chunk => output.push(String(chunk)))
  const exited = new Promise<number | null>(resolve => supervisor.once('exit', resolve))

  const collectorUrl = `http://127.0.0.1:${port}`
  await until(
    'the system is ready',
    () => output.join(''),
    // The last line of what it says then: each comes by itself.
    text => text.includes('Ready in') && text.includes('Ctrl-C'),
    { timeoutMs: 240_000 },
  ).catch((error: Error) => {
    supervisor.kill('SIGTERM')
    throw new Error(`${error.message}\n${output.join('')}`)
  })

  // As it says, because a port that is not chosen may be another than usual.
  const portOf = (part: PartName, chosen: number | undefined) =>
    new RegExp(`✓ ${part} .*?localhost:(\\d+)`).exec(output.join(''))?.[1] ?? chosen
  const clickhouseUrl = `http://127.0.0.1:${portOf('clickhouse', clickhousePort)}`

  return {
    collectorUrl,
    clickhouseUrl,
    aggregatorUrl: `http://127.0.0.1:${portOf('aggregator', aggregatorPort)}`,
    /** As an operator, with all permissions. */
    natsUrl: withUser(`127.0.0.1:${portOf('nats-server', natsPort)}`, dataDir),
    adminToken,
    dataDir,
    supervisor,
    /** What the supervisor printed so far. */
    output: () => output.join(''),
    /** Password of the user who may write to the embedded ClickHouse. */
    clickhousePassword: () => readFileSync(join(dataDir, 'clickhouse-password'), 'utf8').trim(),

    /** Rows of a query, asked as an analyst does: plain HTTP, no user. */
    async query<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
      const response = await fetch(
        `${clickhouseUrl}/?default_format=JSONEachRow&output_format_json_quote_64bit_integers=0`,
        {
          method: 'POST',
          body: sql,
        },
      )
      const text = await response.text()
      if (!response.ok) throw new Error(`ClickHouse: ${text}`)
      return text
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Row)
    },

    /** A call of the admin API. Throws when it isn't answered 2xx. */
    async admin(method: string, path: string, body?: object): Promise<unknown> {
      const response = await fetch(`${collectorUrl}/v1/admin${path}`, {
        method,
        headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.json()
    },

    pidOf: async (part: PartName) => Number(await readFile(join(dataDir, 'run', `${part}.pid`), 'utf8')),

    /** SIGKILL to one part; the supervisor starts it again. */
    async kill(part: PartName): Promise<void> {
      process.kill(await this.pidOf(part), 'SIGKILL')
    },

    async stop(): Promise<void> {
      supervisor.kill('SIGTERM')
      await exited
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Address of a nats-server, with the operator's user of a data folder; without one when the server isn't its. */
function withUser(address: string, dataDir: string): string {
  const file = join(dataDir, 'nats-users.json')
  if (!existsSync(file)) return `nats://${address}`
  const { passwords } = JSON.parse(readFileSync(file, 'utf8')) as { passwords: Record<string, string> }
  return `nats://operator:${passwords.operator}@${address}`
}

export type System = Awaited<ReturnType<typeof startSystem>>
