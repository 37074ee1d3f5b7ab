import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectNats, createLog, provision, sharedSettings } from '@slotstream/runtime'
import { obtainNatsServer } from '@slotstream/supervisor'
import { freePorts } from './free-ports.js'
import { processorSeconds } from './processor.js'
import { WITHOUT_LIMITS } from './without-limits.js'

const COLLECTOR = fileURLToPath(new URL('../../../../collector/dist/main.js', import.meta.url))
const ADMIN_TOKEN = 'bench'
const READY_DEADLINE_MS = 30_000

/** Resources that the processes have used since they were started. */
export interface Usage {
  /** Seconds of processor time, of all collectors together and of nats-server (NaN where the system doesn't tell). */
  collectors: number
  nats: number
  /** Bytes that JetStream stores. */
  stored: number
}

/**
 * Collectors and their nats-server with file-backed JetStream, nothing behind them: what taking events in costs.
 *
 * @param count how many collectors stand side by side
 */
export async function startFrontDoor(siteId: string, count = 1) {
  const [natsPort, monitorPort, ...ports] = (await freePorts(2 + count)) as [number, number, ...number[]]
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-bench-'))
  const natsServer = await obtainNatsServer({ dataDir, log: console.error })
  const nats = spawn(
    natsServer,
    ['-js', '-sd', dataDir, '-a', '127.0.0.1', '-p', String(natsPort), '-m', String(monitorPort)],
    { stdio: 'ignore' },
  )
  // What aggregators would make.
  const log = createLog('bench')
  const maker = await connectNats(`nats://127.0.0.1:${natsPort}`, 'bench', log)
  await provision(maker, sharedSettings({}), log)
  await maker.close()
  const collectors = ports.map(port =>
    spawn(process.execPath, [COLLECTOR], {
      env: {
        ...process.env,
        PORT: String(port),
        NATS_URL: `nats://127.0.0.1:${natsPort}`,
        ADMIN_TOKEN,
        LOG_LEVEL: 'warn',
        ...WITHOUT_LIMITS,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  )
  const collectorUrls = ports.map(port => `http://127.0.0.1:${port}`)
  const collectorUrl = collectorUrls[0] as string

  async function stop(): Promise<void> {
    for (const part of [...collectors, nats]) {
      const ended = once(part, 'exit')
      part.kill('SIGTERM')
      await ended
    }
    await rm(dataDir, { recursive: true, force: true })
  }

  const putSite = () =>
    fetch(`${collectorUrl}/v1/admin/sites/${siteId}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({ name: 'Bench', writeKeys: [siteId] }),
    }).then(
      answer => answer.ok,
      () => false,
    )
  const isKnown = (url: string) =>
    fetch(`${url}/v1/projects/${siteId}/settings`).then(
      answer => answer.ok,
      () => false,
    )
  const deadline = Date.now() + READY_DEADLINE_MS
  while (!((await putSite()) && (await Promise.all(collectorUrls.map(isKnown))).every(Boolean))) {
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`the collector did not become ready within ${READY_DEADLINE_MS} ms`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return {
    collectorUrl,
    collectorUrls,
    async usage(): Promise<Usage> {
      const seconds = await Promise.all(collectorUrls.map(url => collectorMetric(url, 'process_cpu_seconds_total')))
      const answer = await fetch(`http://127.0.0.1:${monitorPort}/jsz`)
      const { storage } = (await answer.json()) as { storage: number }
      return {
        collectors: seconds.reduce((sum, each) => sum + each, 0),
        nats: await processorSeconds(nats.pid),
        stored: storage,
      }
    },
    stop,
  }
}

export type FrontDoor = Awaited<ReturnType<typeof startFrontDoor>>

/** Returns one of the numbers that a collector has for Prometheus, those without labels. */
export async function collectorMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}
