import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import {
  ConfigurationError,
  type Log,
  neededSetting,
  numberSetting,
  runProcess,
  textSetting,
} from '@slotstream/runtime'
import { openEngine } from './open-engine.js'
import { createEmbeddedServer } from './server.js'
import { DEFAULT_ANALYST_LIMITS } from './settings.js'

/** libuv's own number of threads, when the environment asks for no other. */
const DEFAULT_THREADS = 4
/** How long running inserts may go on after a signal to stop, in milliseconds. */
const STOP_TIMEOUT_MS = 5_000
const DEFAULT_MAX_INSERT_BYTES = 256 * 1024 * 1024

/**
 * The embedded ClickHouse server, a process of its own because the library runs its queries on the threads of libuv's
 * pool and a crash of the engine is a crash of the process. Whoever starts it sets UV_THREADPOOL_SIZE (24 is good):
 * the pool starts before the first line of an ES module runs, so this program can't.
 *
 * Environment: CLICKHOUSE_PORT (8123), CLICKHOUSE_HOST (127.0.0.1), CLICKHOUSE_DATA_DIR (`<DATA_DIR or .data>/clickhouse`),
 * CLICKHOUSE_PASSWORD (of the read-write user `slotstream`, required), CLICKHOUSE_MAX_INSERT_BYTES (256 MiB).
 */
await runProcess('clickhouse', async log => {
  const password = neededSetting('CLICKHOUSE_PASSWORD', 'the read-write user "slotstream" needs a password')
  const port = numberSetting('CLICKHOUSE_PORT', 8123, { max: 65_535 })
  const host = textSetting('CLICKHOUSE_HOST', '127.0.0.1')
  const folder = resolve(textSetting('CLICKHOUSE_DATA_DIR', join(textSetting('DATA_DIR', '.data'), 'clickhouse')))
  const maxBody = numberSetting('CLICKHOUSE_MAX_INSERT_BYTES', DEFAULT_MAX_INSERT_BYTES, {
    min: 1,
    max: 512 * 1024 * 1024,
  })
  const threads = numberSetting('UV_THREADPOOL_SIZE', DEFAULT_THREADS, { min: DEFAULT_THREADS, max: 1024 })
  if (threads < 8)
    log.warn(`only ${threads} threads: queries will wait for one another. Start with UV_THREADPOOL_SIZE=24`)

  const { engine, guard } = await openEngine(folder, threads)
  const limits = {
    ...DEFAULT_ANALYST_LIMITS,
    max_memory_usage: Math.min(DEFAULT_ANALYST_LIMITS.max_memory_usage, Math.floor(totalmem() / 2)),
  }
  const { server, stop } = createEmbeddedServer({
    engine,
    guard,
    password,
    limits,
    maxBody,
    log: entry => log.warn(entry),
  })
  await listen(server, host, port, log, { folder, version: engine.version, threads })

  return {
    async stop() {
      const stopped = stop()
      await engine.close(STOP_TIMEOUT_MS)
      // Responses of finished inserts still have to reach their clients.
      await Promise.race([stopped, new Promise(resolve => setTimeout(resolve, 1_000))])
    },
  }
})

async function listen(
  server: ReturnType<typeof createEmbeddedServer>['server'],
  host: string,
  port: number,
  log: Log,
  facts: object,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(new ConfigurationError(`Can't listen on ${host}:${port}: ${error.message}`)))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const actual = address && typeof address === 'object' ? address.port : port
  log.info({ url: `http://${host}:${actual}`, ...facts }, 'listening')
}
