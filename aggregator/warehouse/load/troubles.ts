import type { Trouble } from '@slotstream/protocol'
import type { Metrics } from '@slotstream/runtime'

/** Longest reason reported, in characters: ClickHouse's errors may be long. */
const MAX_REASON = 300

/** Failures of the loaders now, for `/metrics` and the pipeline's status. */
export interface Troubles {
  /** Notes an attempt that failed, and is followed by another. */
  failed(stream: string, error: unknown): void
  /** Clears a trouble when loading works again, or is another process's task. */
  cleared(stream: string): void
  list(): Trouble[]
}

/** @param now milliseconds since the epoch */
export function createTroubles(metrics: Metrics, now: () => number = Date.now): Troubles {
  const failing = metrics.gauge('warehouse_consecutive_failures', 'Failed attempts since the last success, by stream', [
    'stream',
  ])
  const troubles = new Map<string, Trouble>()
  return {
    failed(stream, error) {
      const { since = new Date(now()).toISOString(), attempts = 0 } = troubles.get(stream) ?? {}
      const reason = String(error instanceof Error ? error.message : error).replace(/\s+/g, ' ')
      troubles.set(stream, {
        role: 'warehouse',
        what: stream,
        since,
        attempts: attempts + 1,
        reason: reason.slice(0, MAX_REASON),
      })
      failing.set({ stream }, attempts + 1)
    },
    cleared(stream) {
      if (troubles.delete(stream)) failing.set({ stream }, 0)
    },
    list: () => [...troubles.values()],
  }
}
