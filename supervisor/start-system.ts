import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ADMIN_TOKEN_FILE, ConfigurationError, KEPT_PORTS_FILE, pause } from '@slotstream/runtime'
import { PRIVATE_UMASK } from './data/data-folder.js'
import { writePrivate } from './data/private-file.js'
import { seedDemo } from './data/seed-demo.js'
import { natsDir } from './nats/folder.js'
import { type PortWish, reservePorts } from './ports.js'
import { createPidFiles, type PidFiles } from './process/pid-files.js'
import { supervise } from './process/supervised.js'
import { provide } from './provide.js'
import type { Report } from './report.js'
import { serviceSpecs } from './services.js'
import type { SupervisorSettings } from './settings.js'

const MAIN = 'supervisor'

/** How long leftovers of a killed supervisor may take to end, and nats-server until it is killed, in milliseconds. */
const LEFTOVER_DEADLINE_MS = 15_000
const LEFTOVER_KILL_MS = 8_000
const LEFTOVER_LOOK_MS = 50

/**
 * Starts every service on this machine and keeps it running. Resolves when all of them have been started; `report`
 * tells when they are ready. Throws ConfigurationError when something has to be settled by a person first.
 */
export async function startSystem(wished: SupervisorSettings, env: NodeJS.ProcessEnv, report: Report) {
  const { dataDir } = wished
  const umask = process.umask(PRIVATE_UMASK)
  const pids = createPidFiles(dataDir)
  const other = pids.alive(MAIN, 'supervisor')
  if (other)
    throw new ConfigurationError(
      `this data folder is in use by process ${other}: stop it, or set DATA_DIR to another folder`,
    )
  await endLeftovers(dataDir, pids)
  const { ports, moved, release } = await reservePorts(wishesOf(wished))
  const settings = withPorts(wished, ports)
  pids.write(MAIN, process.pid)

  report.starting(dataDir)
  for (const { variable, from, to } of moved) report.note(`port ${from} is taken: ${variable} is ${to} this time`)
  const isFirst = !existsSync(join(dataDir, ADMIN_TOKEN_FILE))
  const provided = await provide(settings, umask, report.note)
  const tokenFile = join(dataDir, ADMIN_TOKEN_FILE)
  const tokenKept = isFirst ? `${provided.adminToken} (shown once; kept in ${tokenFile})` : `in ${tokenFile}`
  const tokenShown = settings.adminToken ? 'as set' : tokenKept
  const specs = serviceSpecs(settings, provided, env)
  const waiting = new Set(specs.map(spec => spec.name))
  const where = placesOf(settings)

  const events = {
    started: (name: string, pid: number) => pids.write(name, pid),
    died: (name: string, how: string, pauseMs: number) =>
      report.died(name, how, pauseMs, join(dataDir, 'logs', `${name}.log`)),
    stuck: (name: string) => report.stuck(name, join(dataDir, 'logs', `${name}.log`)),
    ready(name: string) {
      report.ready(name, where[name] ?? '')
      const seeding =
        name === 'collector'
          ? seedDemo(`http://127.0.0.1:${settings.port}`, provided.adminToken).catch((error: Error) =>
              report.note(`the demo site could not be set up: ${error.message}`),
            )
          : Promise.resolve()
      void seeding.then(() => {
        if (waiting.delete(name) && waiting.size === 0) report.allReady(settings, tokenShown)
      })
    },
  }
  keepPorts(dataDir, ports)
  const services = specs.map(spec => supervise(spec, events))

  return {
    /** Stops the services in order, each after those that need it: nothing acknowledged is left behind. */
    async stop(): Promise<void> {
      for (const service of services) {
        await service.stop()
        pids.remove(service.name)
      }
      release()
      pids.remove(MAIN)
    },
  }
}

/** Returns where each service is reached, for people. */
function placesOf(settings: SupervisorSettings): Record<string, string> {
  return {
    collector: `http://localhost:${settings.port}`,
    aggregator: `http://localhost:${settings.aggregatorPort}/metrics`,
    warehouse: `http://localhost:${settings.warehousePort}/metrics`,
    clickhouse: `http://localhost:${settings.clickhousePort}`,
    'nats-server': `nats://localhost:${settings.natsPort}`,
  }
}

function wishesOf(settings: SupervisorSettings): PortWish[] {
  const wish = (variable: string, port: number) => ({
    variable,
    port,
    movable: settings.movablePorts.includes(variable),
  })
  return [
    wish('PORT', settings.port),
    wish('AGGREGATOR_PORT', settings.aggregatorPort),
    wish('WAREHOUSE_PORT', settings.warehousePort),
    ...(settings.natsUrl ? [] : [wish('NATS_PORT', settings.natsPort)]),
    ...(settings.clickhouseUrl ? [] : [wish('CLICKHOUSE_PORT', settings.clickhousePort)]),
  ]
}

function withPorts(settings: SupervisorSettings, ports: Record<string, number>): SupervisorSettings {
  return {
    ...settings,
    aggregatorPort: ports.AGGREGATOR_PORT ?? settings.aggregatorPort,
    warehousePort: ports.WAREHOUSE_PORT ?? settings.warehousePort,
    natsPort: ports.NATS_PORT ?? settings.natsPort,
    clickhousePort: ports.CLICKHOUSE_PORT ?? settings.clickhousePort,
  }
}

/** So that commands which are run in the same data folder find what moved. */
function keepPorts(dataDir: string, ports: Record<string, number>): void {
  writePrivate(join(dataDir, KEPT_PORTS_FILE), `${JSON.stringify(ports)}\n`)
}

/**
 * Ends what a killed supervisor left behind. Our own programs notice that it is gone and end by themselves;
 * nats-server doesn't know it and is told.
 */
async function endLeftovers(dataDir: string, pids: PidFiles): Promise<void> {
  const left = () => [
    pids.alive('nats-server', natsDir(dataDir)),
    ...['collector', 'aggregator', 'warehouse', 'clickhouse'].map(name => pids.alive(name, 'dist')),
  ]
  const [nats] = left()
  if (nats) process.kill(nats, 'SIGTERM')
  const begun = Date.now()
  while (Date.now() - begun < LEFTOVER_DEADLINE_MS && left().some(pid => pid !== undefined)) {
    const [stuck] = left()
    if (stuck && Date.now() - begun > LEFTOVER_KILL_MS) process.kill(stuck, 'SIGKILL')
    await pause(LEFTOVER_LOOK_MS)
  }
}
