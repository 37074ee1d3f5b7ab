import { pino } from 'pino'

export type Log = pino.Logger

/**
 * Structured log lines on standard output, one JSON object each. LOG_LEVEL: trace, debug, info (default), warn, error.
 * Never log what a visitor sent: only ids of our own, counts and errors.
 */
export function createLog(part: string): Log {
  return pino({ level: process.env.LOG_LEVEL || 'info', base: { part }, timestamp: pino.stdTimeFunctions.isoTime })
}
