import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import {
  allowedHosts,
  ConfigurationError,
  createHostCheck,
  type Log,
  neededSecret,
  numberSetting,
  runProcess,
  textSetting,
  within,
} from '@slotstream/runtime'
import { type AccountLimits, NAMELESS, WRITER } from './access/accounts.js'
import { createAuthenticator } from './access/credentials.js'
import { DEFAULT_ANALYST_LIMITS } from './access/settings/limits.js'
import { watchUsers } from './access/watch-users.js'
import { openEngine } from './engine/open-engine.js'
import { createEmbeddedServer } from './http/server.js'
import { type PageRules, readOrigins } from './http/web-pages.js'
import { openQueryLog } from './query-log/open-query-log.js'

/** How long responses may take to reach their clients after that, in milliseconds. */
const RESPONSES_MS = 1_000
/** How long running inserts may go on after a signal to stop, in milliseconds. */
const STOP_TIMEOUT_MS = 5_000
const MEGABYTE = 1_000_000
/** One query of an analyst may take this part of what all of them together may. */
const QUERY_SHARE = 1 / 4
/** Queries of one account that run at a time, unless the users file says otherwise. */
const MAX_CONCURRENT_QUERIES = 4
/** Seconds of a builder's query, unless the users file says otherwise: it fills tables. */
const BUILDER_SECONDS = 600

/**
 * The embedded ClickHouse server, a process of its own because the library runs its queries on the threads of libuv's
 * pool and a crash of the engine is a crash of the process. Its environment sets UV_THREADPOOL_SIZE (24 is good):
 * the pool starts before the first line of an ES module runs, so this program can't.
 */
await runProcess('clickhouse', async log => {
  const password = neededSecret('CLICKHOUSE_PASSWORD', 'the read-write user "slotstream" needs a password')
  const port = numberSetting('CLICKHOUSE_PORT')
  const host = textSetting('CLICKHOUSE_HOST')
  const dataDir = textSetting('DATA_DIR')
  const folder = resolve(textSetting('CLICKHOUSE_DATA_DIR') ?? join(dataDir, 'clickhouse'))
  const usersFile = resolve(textSetting('CLICKHOUSE_USERS_FILE') ?? join(dataDir, 'clickhouse-users.json'))
  const guestMemory =
    MEGABYTE * (numberSetting('CLICKHOUSE_ANALYSTS_MEMORY_MB') ?? Math.floor(totalmem() / 2 / MEGABYTE))
  const pages = pageRules()
  const maxBody = numberSetting('CLICKHOUSE_MAX_INSERT_BYTES')
  const maxConnections = numberSetting('CLICKHOUSE_MAX_CONNECTIONS')
  const threads = numberSetting('UV_THREADPOOL_SIZE')
  if (threads < 8)
    log.warn(`only ${threads} threads: queries will wait for one another. Start with UV_THREADPOOL_SIZE=24`)

  const limits: AccountLimits = {
    ...DEFAULT_ANALYST_LIMITS,
    max_memory_usage: Math.min(DEFAULT_ANALYST_LIMITS.max_memory_usage, Math.floor(guestMemory * QUERY_SHARE)),
    max_concurrent_queries: MAX_CONCURRENT_QUERIES,
  }
  const users = await watchUsers(
    usersFile,
    role => (role === 'builder' ? { ...limits, max_execution_time: BUILDER_SECONDS } : limits),
    log,
  )
  const authenticate = createAuthenticator({
    password,
    users,
    nameless: { name: NAMELESS, role: 'analyst', databases: [], limits },
    writer: { name: WRITER, role: 'writer', databases: [], limits },
  })
  const { engine, guard } = await openEngine(folder, threads, guestMemory, error => {
    log.fatal({ err: error }, 'a query has crashed the engine: this process ends, to be started again')
    // An orderly end would wait for the threads of the engine.
    process.kill(process.pid, 'SIGKILL')
  })
  const queryLog = openQueryLog(engine, entry => log.warn(entry))
  const { server, stop } = createEmbeddedServer({
    engine,
    guard,
    authenticate,
    pages,
    maxBody,
    maxConnections,
    log: entry => log.warn(entry),
    queryLog,
  })
  await listen(server, host, port, log, { folder, version: engine.version, threads })

  return {
    async stop() {
      const stopped = stop()
      await within(STOP_TIMEOUT_MS, queryLog.close())
      await engine.close(STOP_TIMEOUT_MS)
      // Responses of finished inserts still have to reach their clients.
      await within(RESPONSES_MS, stopped)
    },
  }
})

/** Throws ConfigurationError. */
function pageRules(): PageRules {
  const origins = textSetting('CLICKHOUSE_ALLOWED_ORIGINS')
  try {
    return { isOurHost: createHostCheck(allowedHosts(process.env)), allowedOrigins: readOrigins(origins) }
  } catch {
    throw new ConfigurationError(
      `CLICKHOUSE_ALLOWED_ORIGINS is "${origins}": it must be origins such as https://sql.example, with commas between`,
    )
  }
}

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
