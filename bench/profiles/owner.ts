import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectNats, createLog, provision, sharedSettings } from '@slotstream/runtime'
import { obtainNatsServer } from '@slotstream/supervisor'
import { createChildren } from '../support/servers/children.js'
import { freePorts } from '../support/servers/free-ports.js'
import { WITHOUT_LIMITS } from '../support/servers/without-limits.js'

const program = (name: string) => fileURLToPath(new URL(`../../../${name}/dist/main.js`, import.meta.url))
const READY_DEADLINE_MS = 60_000

export const ADMIN_TOKEN = 'bench'
export const SITE = 'bench'

/**
 * Starts a nats-server and a collector with an empty site, and an owner of profiles that is started when it is wanted.
 */
export async function startOwners() {
  const [natsPort, collectorPort] = (await freePorts(2)) as [number, number]
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-bench-'))
  const natsServer = await obtainNatsServer({ dataDir, log: console.error })
  const natsUrl = `nats://127.0.0.1:${natsPort}`
  const { start, end, endAll } = createChildren()

  start(natsServer, ['-js', '-sd', join(dataDir, 'nats'), '-a', '127.0.0.1', '-p', String(natsPort)])
  const log = createLog('bench')
  log.level = 'error'
  const nats = await connectNats(natsUrl, 'bench', log)
  const installation = await provision(nats, sharedSettings({}), log)
  const common = { NATS_URL: natsUrl, ADMIN_TOKEN, LOG_LEVEL: 'error', ...WITHOUT_LIMITS }
  start(process.execPath, [program('collector')], { ...common, PORT: String(collectorPort), HOST: '127.0.0.1' })
  const collectorUrl = `http://127.0.0.1:${collectorPort}`
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ name: 'Bench', writeKeys: [SITE] })
  await untilOk(() => fetch(`${collectorUrl}/v1/admin/sites/${SITE}`, { method: 'PUT', headers, body }))

  return {
    nats,
    installation,
    collectorUrl,
    /** Starts an aggregator with the role profiles alone. It may still have to catch up. */
    async owner(env: NodeJS.ProcessEnv = {}) {
      const [port] = await freePorts(1)
      const url = `http://127.0.0.1:${port}`
      const child = start(process.execPath, [program('aggregator'), '--roles', 'profiles'], {
        ...common,
        AGGREGATOR_PORT: String(port),
        ...env,
      })
      return {
        pid: child.pid!,
        ready: () => untilOk(() => fetch(`${url}/readyz`)),
        /** Reads the sum of a metric over its labels; NaN where it is not there. */
        async metric(name: string): Promise<number> {
          const text = await fetch(`${url}/metrics`).then(
            answer => answer.text(),
            () => '',
          )
          const values = [...text.matchAll(new RegExp(`^slotstream_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
          return values.length === 0 ? Number.NaN : values.reduce((sum, [, value]) => sum + Number(value), 0)
        },
        stop: () => end(child),
      }
    },
    async stop(): Promise<void> {
      await nats.close()
      await endAll()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export type Owners = Awaited<ReturnType<typeof startOwners>>
export type Owner = Awaited<ReturnType<Owners['owner']>>

async function untilOk(ask: () => Promise<Response>): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS
  while (
    !(await ask().then(
      answer => answer.ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline) throw new Error('a process did not become ready')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
