import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jetStreamAnswers } from '@slotstream/runtime'
import type { SupervisorSettings } from './settings.js'
import type { PartSpec } from './supervised.js'
import { ANSWER_MS } from './watchdog.js'

/** What the parts need beyond the settings. */
export interface Provided {
  natsServer: string
  adminToken: string
  clickhousePassword: string
}

/** User of the embedded ClickHouse that may write; its password is kept under the data folder. */
const EMBEDDED_USER = 'slotstream'

/** How long a part may take to say whether it is ready, in milliseconds. */
const READY_MS = 2_000

const OWN_PATHS = { ready: '/readyz', alive: '/healthz' }

/** The parts that `npm start` runs, in the order in which they are stopped. */
export function partSpecs(settings: SupervisorSettings, provided: Provided, base: NodeJS.ProcessEnv): PartSpec[] {
  const { dataDir } = settings
  const embedded = settings.clickhouseUrl === ''
  const env: NodeJS.ProcessEnv = {
    ...base,
    DATA_DIR: dataDir,
    PORT: String(settings.port),
    NATS_URL: settings.natsUrl || `nats://127.0.0.1:${settings.natsPort}`,
    CLICKHOUSE_URL: settings.clickhouseUrl || `http://127.0.0.1:${settings.clickhousePort}`,
    CLICKHOUSE_USER: embedded ? EMBEDDED_USER : settings.clickhouseUser || 'default',
    CLICKHOUSE_PASSWORD: embedded ? provided.clickhousePassword : settings.clickhousePassword,
    ADMIN_TOKEN: provided.adminToken,
    ...(settings.natsUrl ? {} : { NATS_STORE_DIR: natsDir(dataDir) }),
  }
  const isOk = async (url: string, timeoutMs: number) =>
    (await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })).ok
  const node = (
    name: string,
    program: string,
    url: string,
    paths: { ready: string; alive: string },
    extra: NodeJS.ProcessEnv = {},
  ): PartSpec => ({
    name,
    command: process.execPath,
    args: [fileURLToPath(new URL(`../../${program}`, import.meta.url))],
    env: { ...env, ...extra },
    logFile: join(dataDir, 'logs', `${name}.log`),
    isReady: () => isOk(url + paths.ready, READY_MS),
    answers: () => isOk(url + paths.alive, ANSWER_MS),
    ours: true,
  })

  const aggregator = (name: string, roles: string, port: number) =>
    node(name, 'aggregator/dist/main.js', `http://127.0.0.1:${port}`, OWN_PATHS, {
      ROLES: roles,
      AGGREGATOR_PORT: String(port),
    })

  const parts = [
    node('collector', 'collector/dist/main.js', `http://127.0.0.1:${settings.port}`, OWN_PATHS),
    // Apart, because a visitor waits for the one and nobody for the other: loading a block takes the processor for
    // tens of milliseconds at a time.
    aggregator('aggregator', 'profiles,decisions', settings.aggregatorPort),
    { ...aggregator('warehouse', 'warehouse,batch', settings.warehousePort), yields: true },
  ]
  if (embedded)
    parts.push({
      ...node(
        'clickhouse',
        'aggregator/dist/embedded/main.js',
        `http://127.0.0.1:${settings.clickhousePort}`,
        { ready: '/ping', alive: '/ping' },
        {
          CLICKHOUSE_PORT: String(settings.clickhousePort),
          CLICKHOUSE_DATA_DIR: join(dataDir, 'clickhouse'),
          // Every running query holds a thread of libuv's pool; the default of four would starve file reads.
          UV_THREADPOOL_SIZE: '24',
        },
      ),
      // A visitor waits for an answer; merges and an analyst's big query can wait for the visitor.
      yields: true,
    })
  if (!settings.natsUrl)
    parts.push({
      name: 'nats-server',
      command: provided.natsServer,
      args: ['-js', '-sd', natsDir(dataDir), '-a', '127.0.0.1', '-p', String(settings.natsPort)],
      env: base,
      logFile: join(dataDir, 'logs', 'nats-server.log'),
      isReady: () => listens(settings.natsPort),
      answers: () => jetStreamAnswers(`nats://127.0.0.1:${settings.natsPort}`, ANSWER_MS),
      ours: false,
    })
  return parts
}

/** Where the started nats-server keeps its streams. */
function natsDir(dataDir: string): string {
  return join(dataDir, 'nats')
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
