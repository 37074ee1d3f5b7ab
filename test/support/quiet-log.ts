import { createLog, type Log } from '@slotstream/runtime'

/** Returns a log of parts that run in tests' processes, which says nothing unless LOG_LEVEL is set. */
export function quietLog(): Log {
  const log = createLog('test')
  log.level = process.env.LOG_LEVEL || 'silent'
  return log
}
