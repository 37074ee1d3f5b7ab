import { warnOfMisspelt } from '../settings/misspelt.js'
import { ConfigurationError } from '../settings/read.js'
import { createLog, type Log } from './log.js'

/** How long a process may take to finish what it has begun, in milliseconds. */
const STOP_DEADLINE_MS = 10_000

/** A started service of the system. `stop` finishes what was begun, takes nothing new, and frees everything. */
export interface Service {
  stop(): Promise<void>
}

/**
 * Runs one service as a process: starts it, and stops it on SIGTERM, SIGINT or the end of its supervisor, exit code 0;
 * one that does not stop in time is killed.
 * A service that can't start, or fails later, ends the process with code 1 and one line that says why; its supervisor
 * starts it again.
 */
export async function runProcess(name: string, start: (log: Log) => Promise<Service>): Promise<void> {
  const log = createLog(name)
  const fail = (error: unknown) => {
    if (error instanceof ConfigurationError) log.fatal(error.message)
    else log.fatal({ err: error }, 'failed')
    process.exit(1)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  warnOfMisspelt(line => log.warn(line))
  try {
    const starting = start(log)
    let stopping = false
    const stop = async () => {
      if (stopping) return
      stopping = true
      setTimeout(() => {
        log.fatal(`did not stop within ${STOP_DEADLINE_MS} ms: killed`)
        // Not by exit, which waits for the threads of libuv's pool: one that a query keeps busy would never let it end.
        process.kill(process.pid, 'SIGKILL')
      }, STOP_DEADLINE_MS).unref()
      const service = await starting
      await service.stop()
      log.info('stopped')
      process.exit(0)
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
    // Started by a supervisor that is gone, even by SIGKILL: nothing would ever stop this process.
    if (process.channel) process.once('disconnect', stop)
    await starting
  } catch (error) {
    fail(error)
  }
}
