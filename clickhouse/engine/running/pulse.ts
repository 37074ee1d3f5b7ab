import { within } from '@slotstream/runtime'
import type { EngineConnection } from '../connections/connections.js'

/** How often the engine is asked, in milliseconds. */
const EVERY_MS = 1_000
/** How long it may take to answer, in milliseconds: less than those wait who ask this server. */
const DEADLINE_MS = 4_000
/** How every query ends, from a crash of one of them on; the query that crashed doesn't end at all. */
const FATAL = /^Code: 236\. DB::Exception: The server is shutting down due to a fatal error/

/** The engine's signs of life. */
export interface Pulse {
  /** Resolves to whether the engine answers now. */
  beats(): Promise<boolean>
  stop(): void
}

/**
 * Asks the engine again and again whether it lives. A look at its own answer, not at those to clients: the text of an
 * error that a query throws is whatever the query wants.
 *
 * @param connection where no query runs for long
 * @param onFatal called once, when the engine can't be used any more
 */
export function startPulse(
  connection: Pick<EngineConnection, 'queryAsync'>,
  onFatal: (error: Error) => void,
  { everyMs = EVERY_MS, deadlineMs = DEADLINE_MS } = {},
): Pulse {
  let beat: { since: number; answer: Promise<boolean> } | undefined
  let isDead = false

  const ask = async (): Promise<boolean> => {
    try {
      await connection.queryAsync('SELECT 1')
    } catch (error) {
      // Any other error is an answer: there may be no memory left for the moment.
      if (!(error instanceof Error && FATAL.test(error.message))) return true
      if (!isDead) onFatal(error)
      isDead = true
    }
    return !isDead
  }

  const beats: Pulse['beats'] = async () => {
    // One question at a time, however many ask.
    beat ??= {
      since: Date.now(),
      answer: ask().finally(() => {
        beat = undefined
      }),
    }
    const answer = await within(deadlineMs - (Date.now() - beat.since), beat.answer)
    return answer?.value ?? false
  }

  const timer = setInterval(() => void beats(), everyMs)
  timer.unref()
  return { beats, stop: () => clearInterval(timer) }
}
