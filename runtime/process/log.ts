import { pino } from 'pino'
import { textSetting } from '../settings/read.js'

export type Log = pino.Logger

/**
 * Creates a log of structured lines on standard output, one JSON object each. LOG_LEVEL: trace, debug, info (default),
 * warn, error. Never log what a visitor sent: only ids of our own, counts and errors.
 */
export function createLog(part: string): Log {
  return pino({ level: textSetting('LOG_LEVEL'), base: { part }, timestamp: pino.stdTimeFunctions.isoTime })
}
