import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { obtainNatsServer } from '@slotstream/supervisor'
import { freePorts } from './free-ports.js'

const COLLECTOR = fileURLToPath(new URL('../../../collector/dist/main.js', import.meta.url))
const ADMIN_TOKEN = 'bench'
const READY_DEADLINE_MS = 30_000

/** A collector and its nats-server with file-backed JetStream, nothing behind them: what taking events in costs. */
export async function startFrontDoor(siteId: string) {
  const [port, natsPort] = (await freePorts(2)) as [number, number]
  const dataDir = await mkdtemp(join(tmpdir(), 'slotstream-bench-'))
  const natsServer = await obtainNatsServer({ dataDir, log: console.error })
  const parts: ChildProcess[] = [
    spawn(natsServer, ['-js', '-sd', dataDir, '-a', '127.0.0.1', '-p', String(natsPort)], { stdio: 'ignore' }),
    spawn(process.execPath, [COLLECTOR], {
      env: {
        ...process.env,
        PORT: String(port),
        NATS_URL: `nats://127.0.0.1:${natsPort}`,
        ADMIN_TOKEN,
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  ]
  const collectorUrl = `http://127.0.0.1:${port}`

  async function stop(): Promise<void> {
    for (const part of parts.reverse()) {
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
  const deadline = Date.now() + READY_DEADLINE_MS
  while (!(await putSite())) {
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`the collector did not become ready within ${READY_DEADLINE_MS} ms`)
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return { collectorUrl, stop }
}
