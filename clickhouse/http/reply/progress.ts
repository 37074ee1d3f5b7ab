import type { QueryProgress } from '../../engine/running/processes.js'

export const PROGRESS_HEADER = 'X-ClickHouse-Progress'

/** Milliseconds between two progress headers when the client names none, as in ClickHouse; also the least. */
export const DEFAULT_PROGRESS_INTERVAL_MS = 100
/** An hour: no proxy waits longer, and timers end at 24 days. */
export const MAX_PROGRESS_INTERVAL_MS = 3_600_000

/**
 * Bytes of progress headers in one answer. HTTP clients refuse heads that are too long (Node's at 16 KB, all headers
 * and a little for each proxy included), and with them the result of a query that took minutes.
 */
export const MAX_PROGRESS_BYTES = 12 * 1024

/** A query that has been running for long has less news: the next look comes after this part of its time so far. */
const SHARE_OF_ELAPSED = 1 / 4
/** Below the minute after which load balancers usually take a quiet connection for dead. */
const LONGEST_GAP_MS = 45_000

/**
 * Returns the milliseconds until the next progress header: what was asked for, and ever more while the query goes on,
 * so that the bytes there are for headers last: for more than ten minutes at the default, for longer when fewer are
 * asked for.
 */
export function nextGapMs(elapsedMs: number, askedMs: number): number {
  return Math.max(askedMs, Math.min(elapsedMs * SHARE_OF_ELAPSED, LONGEST_GAP_MS))
}

/** Returns the value of an `X-ClickHouse-Progress` header. A result isn't counted before it is complete. */
export function progressValue({ elapsed_ns, memory_usage, ...rows }: QueryProgress): string {
  return JSON.stringify({ ...rows, result_rows: '0', result_bytes: '0', elapsed_ns, memory_usage })
}

export interface ReportOptions {
  intervalMs: number
  /** Returns the progress of the query; undefined while it waits for its turn. */
  look: () => Promise<QueryProgress | undefined>
  /** Sends one header's value. Returns false when no further one can be sent. */
  send: (value: string) => boolean
  now?: () => number
}

/**
 * Sends how far a query has come, again and again, until that is stopped or its bytes are used up.
 *
 * @returns stops it
 */
export function reportProgress({ intervalMs, look, send, now = Date.now }: ReportOptions): () => void {
  const started = now()
  let stopped = false
  let left = MAX_PROGRESS_BYTES
  let timer = setTimeout(report, intervalMs)

  async function report(): Promise<void> {
    // A look that fails tells nothing of the query: it ends with its own error.
    const progress = await look().catch(() => undefined)
    if (stopped) return
    if (progress) {
      const value = progressValue(progress)
      left -= PROGRESS_HEADER.length + value.length
      if (left < 0 || !send(value)) return
    }
    timer = setTimeout(report, nextGapMs(now() - started, intervalMs))
  }

  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
