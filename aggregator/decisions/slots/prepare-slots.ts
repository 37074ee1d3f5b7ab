import { createSlices } from '@slotstream/runtime'

/** Contents up to which a slot is compiled at once: it takes a millisecond or two. */
export const SMALL_SLOT = 500

/** Time for which changes are gathered before slots are compiled for them, at least and at most, in milliseconds. */
const GATHER_MS = { least: 20, most: 200 }

/** Compiles large slots in steps, between which visitors are answered. */
export interface Preparer {
  /** Whether any slot, or this one, is being compiled or about to be. */
  isBusy(slotId?: string): boolean
  /** Prepares a slot as soon as possible. Resolves when it has been. */
  prepare(slotId: string): Promise<void>
  /** Prepares a slot soon, once for all changes that come meanwhile. */
  prepareSoon(slotId: string): void
}

/**
 * Creates the preparer of a site's slots.
 *
 * @param preparing returns the steps that compile a slot as it is when they begin
 */
export function createPreparer(preparing: (slotId: string) => Generator<void, void>): Preparer {
  const pauseIfLong = createSlices()
  const due = new Map<string, { done: Promise<void>; end: () => void }>()
  const changed = new Set<string>()
  let running: string | undefined
  let lastTookMs = 0
  let isGathering = false

  async function run(): Promise<void> {
    for (const [slotId, { end }] of due) {
      due.delete(slotId)
      running = slotId
      const began = performance.now()
      try {
        const steps = preparing(slotId)
        while (!steps.next().done) {
          const turn = pauseIfLong()
          if (turn) await turn
        }
      } catch {
        // It fails once more where it is needed, and is told there.
      }
      lastTookMs = performance.now() - began
      end()
    }
    running = undefined
  }

  function prepare(slotId: string): Promise<void> {
    const waiting = due.get(slotId)
    if (waiting) return waiting.done
    let end = () => {}
    const done = new Promise<void>(resolve => {
      end = resolve
    })
    due.set(slotId, { done, end })
    if (running === undefined) void run()
    return done
  }

  return {
    isBusy: slotId =>
      slotId === undefined
        ? running !== undefined || changed.size > 0
        : running === slotId || due.has(slotId) || changed.has(slotId),
    prepare,
    prepareSoon(slotId) {
      changed.add(slotId)
      if (isGathering) return
      isGathering = true
      const gatherMs = Math.max(GATHER_MS.least, Math.min(GATHER_MS.most, lastTookMs))
      setTimeout(() => {
        isGathering = false
        const slotIds = [...changed]
        changed.clear()
        for (const each of slotIds) void prepare(each)
      }, gatherMs).unref()
    },
  }
}
