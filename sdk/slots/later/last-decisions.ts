import type { KeyValue } from '../../platform/storage.js'
import type { SlotDecision } from '../../types.js'

/** Age after which a last decision is no longer shown, in milliseconds: what it shows may have ended meanwhile. */
const LAST_MS = 86_400_000

/** Most characters that are kept of all slots together; beyond it none is kept. */
const KEPT_LENGTH = 100_000

/** Key of what is kept. */
const KEY = 'last'

/** Of each slot: when the answer came, for whom, and its items. */
type Kept = Record<string, [at: number, person: string, items: SlotDecision['items']] | undefined>

/**
 * Keeps what slots have shown last, for a page that can't reach the collector. What is shown again is no decision: it
 * has no `decisionId`, so nothing that is seen or clicked of it counts for the decision that it was.
 */
export function createLastDecisions(storage: KeyValue, now: () => number) {
  const read = (): Kept => {
    try {
      return Object(JSON.parse(storage.get(KEY) ?? ''))
    } catch {
      return {}
    }
  }
  return {
    /** Takes note of an answer. One without content says that there is nothing to show. */
    keep(person: string, { slotId, outcome, items }: SlotDecision): void {
      const decisions = read()
      const entry = outcome === 'served' ? ([now(), person, items] as const) : undefined
      if (!entry && !decisions[slotId]) return
      const text = JSON.stringify({ ...decisions, [slotId]: entry })
      storage.set(KEY, text.length > KEPT_LENGTH ? undefined : text)
    },
    /** Returns what a slot has shown last, to the same person and within a day, if anything. */
    recall(person: string, slotId: string): Pick<SlotDecision, 'outcome' | 'items' | 'cachedAt'> | undefined {
      const entry = read()[slotId]
      if (!Array.isArray(entry)) return undefined
      const [at, whose, items] = entry
      const isFresh = whose === person && now() - at < LAST_MS && Array.isArray(items)
      return isFresh ? { outcome: 'served', items, cachedAt: at } : undefined
    },
    forget: () => storage.set(KEY),
  }
}
