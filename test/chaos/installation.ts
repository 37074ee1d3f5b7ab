import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KINDS } from '@slotstream/runtime'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { currentNatsServer } from '../support/current-nats-server.js'
import { freePorts } from '../support/free-ports.js'
import { copyMigratedTables } from '../support/migrated-tables.js'
import { until } from '../support/until.js'
import { startInsertProxy } from './insert-proxy.js'
import { type Program, runProgram } from './program.js'
import { seconds } from './settings.js'
import { startTcpProxy } from './tcp-proxy.js'

const ADMIN_TOKEN = 'chaos-admin-token'
const PASSWORD = 'chaos-password'

/** As the settings have it. */
const PARTITIONS = 32
const EVENTS_STREAMS = 2
/** What the warehouse loads: a stream of each kind, but those of events, and buckets. */
const STREAMS = Object.keys(SPECS).length + EVENTS_STREAMS - 1
/** The same without buckets. */
const LAKE_STREAMS = KINDS.length + EVENTS_STREAMS - 1

/**
 * Room for everything a run puts into JetStream, which three replicas make 0.7 MB a second; small enough to be filled
 * up in a moment.
 */
const DISK_MB = 256 + seconds

const program = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/**
 * Two collectors, two aggregators with all roles, the embedded ClickHouse, and one nats-server or a cluster of three,
 * each a process of its own. With one nats-server, the cables between the parts run through proxies.
 */
export async function startInstallation({ natsServers }: { natsServers: 1 | 3 }) {
  const dir = mkdtempSync(join(tmpdir(), 'slotstream-chaos-'))
  const disk = mountDisk(join(dir, 'nats'))
  const lake = join(dir, 'lake')
  const natsProgram = await currentNatsServer(console.log)
  const [clickhousePort, ...natsPorts] = (await freePorts(1 + 2 * natsServers)) as [number, ...number[]]
  const clientPorts = natsPorts.slice(0, natsServers)
  const routePorts = natsPorts.slice(natsServers)
  const run = (name: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    runProgram({
      name,
      command,
      args,
      env: { ...process.env, ...env },
      logFile: join(dir, `${name}.log`),
      ours: command === process.execPath,
    })
  const skewFile = (name: string) => join(dir, `${name}.skew`)

  const nats = clientPorts.map((port, index) => {
    const config = join(dir, `nats-${index + 1}.conf`)
    writeFileSync(config, natsConfig(index, port, join(dir, 'nats', String(index + 1)), routePorts))
    return run(`nats-${index + 1}`, natsProgram, ['-c', config])
  })
  await copyMigratedTables(join(dir, 'clickhouse'))
  const clickhouse = run('clickhouse', process.execPath, [program('clickhouse/dist/main.js')], {
    UV_THREADPOOL_SIZE: '24',
    CLICKHOUSE_PORT: String(clickhousePort),
    CLICKHOUSE_DATA_DIR: join(dir, 'clickhouse'),
    CLICKHOUSE_PASSWORD: PASSWORD,
  })

  /** A program of ours, with a cable to NATS of its own and a clock that can be set wrong. */
  async function ours(name: string, path: string, port: number, env: NodeJS.ProcessEnv = {}) {
    const cable = natsServers === 1 ? await startTcpProxy(clientPorts[0]!) : undefined
    const natsUrl = cable ? `nats://127.0.0.1:${cable.port}` : clientPorts.map(p => `nats://127.0.0.1:${p}`).join(',')
    const running = run(name, process.execPath, ['--import', program('test/chaos/skewed-clock.mjs'), program(path)], {
      NATS_URL: natsUrl,
      NATS_REPLICAS: String(natsServers),
      EVENTS_STREAMS: String(EVENTS_STREAMS),
      ADMIN_TOKEN,
      DATA_DIR: join(dir, name),
      SKEW_FILE: skewFile(name),
      ...env,
    })
    return { ...running, port, url: `http://127.0.0.1:${port}`, cable }
  }

  const [c1, c2, a1, a2] = (await freePorts(4)) as [number, number, number, number]
  const collectors = await Promise.all(
    [c1, c2].map((port, index) =>
      ours(`collector-${index + 1}`, 'collector/dist/main.js', port, { PORT: String(port), HOST: '127.0.0.1' }),
    ),
  )
  const proxies = await Promise.all([startInsertProxy(clickhousePort), startInsertProxy(clickhousePort)])
  const aggregators = await Promise.all(
    [a1, a2].map((port, index) =>
      ours(`aggregator-${index + 1}`, 'aggregator/dist/main.js', port, {
        AGGREGATOR_PORT: String(port),
        CLICKHOUSE_URL: `http://127.0.0.1:${proxies[index]!.port}`,
        CLICKHOUSE_USER: 'slotstream',
        CLICKHOUSE_PASSWORD: PASSWORD,
        LAKE_DIR: lake,
        LAKE_EVERY_S: '5',
      }),
    ),
  )
  const programs: Program[] = [...collectors, ...aggregators, clickhouse, ...nats]

  async function ready(): Promise<void> {
    for (const { name, url } of [...collectors, ...aggregators])
      await until(
        `${name} is ready`,
        async () => (await fetch(`${url}/readyz`)).text(),
        text => text.includes('"ready"'),
        { timeoutMs: 120_000, everyMs: 200 },
      )
  }

  async function stop(): Promise<void> {
    // The order in which none misses another: those who write before those who keep.
    for (const each of programs) await each.stop()
    for (const { cable } of [...collectors, ...aggregators]) await cable?.stop()
    for (const proxy of proxies) await proxy.stop()
    disk?.unmount()
    rmSync(dir, { recursive: true, force: true })
  }

  const installation = {
    collectors,
    aggregators,
    proxies,
    clickhouse,
    nats,
    programs,
    partitions: PARTITIONS,
    streams: STREAMS,
    lake,
    lakeStreams: LAKE_STREAMS,
    eventStreams: ['EVENTS', 'EVENTS_1'],
    natsUrls: clientPorts.map(port => `nats://127.0.0.1:${port}`),
    /** The disk of JetStream, where the system lets us mount a small one. */
    disk,
    ready,
    stop,
    setClock: (name: string, skewMs: number) => writeFileSync(skewFile(name), String(skewMs)),
    logs: () => programs.map(each => `--- ${each.name}, started ${each.starts()} times\n${each.log()}`).join('\n'),

    /** Rows of a query, asked as an analyst does. */
    async query<Row>(sql: string): Promise<Row[]> {
      const url = `http://127.0.0.1:${clickhousePort}/?default_format=JSONEachRow&output_format_json_quote_64bit_integers=0`
      const response = await fetch(url, { method: 'POST', body: sql })
      const text = await response.text()
      if (!response.ok) throw new Error(`ClickHouse: ${text}`)
      return text
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Row)
    },

    /** Runs a statement as one who may write, with what it is to insert. */
    async write(sql: string, body = new Uint8Array()): Promise<void> {
      const url = `http://127.0.0.1:${clickhousePort}/?user=slotstream&password=${PASSWORD}&query=${encodeURIComponent(sql)}`
      const response = await fetch(url, { method: 'POST', body })
      if (!response.ok) throw new Error(`ClickHouse: ${await response.text()}`)
    },

    async admin(method: string, path: string, body: object): Promise<void> {
      const response = await fetch(`${collectors[0]!.url}/v1/admin${path}`, {
        method,
        headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    },
  }
  try {
    await ready()
  } catch (error) {
    const logs = installation.logs()
    await stop()
    throw new Error(`${(error as Error).message}\n${logs}`)
  }
  return installation
}

export type ChaosInstallation = Awaited<ReturnType<typeof startInstallation>>

function natsConfig(index: number, port: number, storeDir: string, routePorts: number[]): string {
  const cluster =
    routePorts.length === 1
      ? ''
      : `cluster { name: chaos, listen: "127.0.0.1:${routePorts[index]}",
           routes: [${routePorts.map(route => `"nats://127.0.0.1:${route}"`).join(', ')}] }`
  return `server_name: "n${index + 1}"
    listen: "127.0.0.1:${port}"
    jetstream { store_dir: "${storeDir}" }
    ${cluster}`
}

/** A small file system, which only the superuser of a machine may mount; undefined where that isn't possible. */
function mountDisk(path: string) {
  mkdirSync(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  const ballast = join(path, 'ballast')
  return {
    fill() {
      const block = Buffer.alloc(1024 * 1024)
      try {
        for (;;) writeFileSync(ballast, block, { flag: 'a' })
      } catch {
        // Full, as intended.
      }
    },
    free: () => rmSync(ballast, { force: true }),
    unmount: () => execFileSync('umount', ['-l', path]),
  }
}
