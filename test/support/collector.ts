import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type CollectorDeps, createCollector } from '@slotstream/collector'
import { type EventEnvelope, openEnvelope } from '@slotstream/protocol'
import { connectNats, type Nats, provision, sharedSettings } from '@slotstream/runtime'
import { freePorts } from './free-ports.js'
import { startNatsServer } from './nats-server.js'
import { quietLog } from './quiet-log.js'
import { until } from './until.js'

const PROGRAM = fileURLToPath(new URL('../../collector/dist/main.js', import.meta.url))
export const ADMIN_TOKEN = 'secret'

/** A broker of its own, with what an installation consists of, and collectors on it. */
export async function startBroker(layout: NodeJS.ProcessEnv = {}) {
  const log = quietLog()
  const server = await startNatsServer()
  const nats = await connectNats(server.url, 'test', log)
  const installation = await provision(nats, sharedSettings({ NATS_URL: server.url, PARTITIONS: '8', ...layout }), log)
  const stops: (() => Promise<unknown>)[] = []

  return {
    ...server,
    nats,
    installation,
    /** A collector in this process; resolves to its address. */
    async collector(deps: Partial<CollectorDeps> = {}): Promise<string> {
      const folder = fileURLToPath(new URL('../../examples/demo', import.meta.url))
      const made = createCollector({
        nats,
        installation,
        adminToken: ADMIN_TOKEN,
        demoDir: folder,
        sdkFile: `${folder}/dom.js`,
        log,
        ...deps,
      })
      stops.push(() => made.stop())
      const url = `http://127.0.0.1:${await made.listen(0, '127.0.0.1')}`
      await untilReady(url)
      return url
    },
    /** A collector as a program, on a port that stays its own. */
    async program(env: NodeJS.ProcessEnv = {}) {
      const [port] = await freePorts(1)
      const url = `http://127.0.0.1:${port}`
      let child: ChildProcess | undefined
      let output = ''
      const start = async () => {
        child = spawn(process.execPath, [PROGRAM], {
          env: {
            PATH: process.env.PATH,
            LOG_LEVEL: 'silent',
            NATS_URL: server.url,
            ADMIN_TOKEN,
            PORT: String(port),
            HOST: '127.0.0.1',
            ...env,
          },
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        child.stdout?.on('data', chunk => {
          output += chunk
        })
        await untilReady(url)
      }
      /** Resolves to the exit code. */
      const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
        const ending = child
        if (!ending || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? null
        const gone = new Promise<number | null>(resolve => ending.once('close', resolve))
        ending.kill(signal)
        return gone
      }
      stops.push(() => end('SIGKILL'))
      await start()
      return { url, port: port!, start, end, output: () => output }
    },
    async stop(): Promise<void> {
      for (const stop of stops) await stop()
      await nats.close()
      await server.stop()
    },
  }
}

function untilReady(url: string): Promise<unknown> {
  return until(
    'the collector is ready',
    () => fetch(`${url}/readyz`),
    response => response.ok,
  )
}

/** Makes or changes a site. */
export async function putSite(url: string, siteId: string, site: object = {}): Promise<void> {
  const response = await fetch(`${url}/v1/admin/sites/${siteId}`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({ writeKeys: [siteId], ...site }),
  })
  if (!response.ok) throw new Error(`the site was rejected: ${await response.text()}`)
}

/** Envelopes of a stream, events as their readers see them: all, or those after a sequence. */
export async function readAll<T = EventEnvelope>(nats: Nats, stream = 'EVENTS', after = 0): Promise<T[]> {
  const { state } = await nats.manager.streams.info(stream)
  const envelopes: T[] = []
  for (let seq = Math.max(after + 1, state.first_seq); seq <= state.last_seq; seq++) {
    const message = await nats.manager.streams.getMessage(stream, { seq })
    if (message) envelopes.push(openEnvelope(message.json<EventEnvelope>()) as T)
  }
  return envelopes
}
