import { createSlices } from '@slotstream/runtime'

/** Contents up to which a slot is compiled at once: it takes a millisecond or two. */
export const SMALL_SLOT = 500

/** Time for which changes are gathered before slots are compiled for them, at least and at most, in milliseconds. */
const GATHER_MS = { least: 20, most: 200 }

/** Time after which the next one of several slots gets its turn, in milliseconds. */
const SHARE_MS = 2

/** Compiles large slots in steps, between which visitors are answered. */
export interface Preparer {
  /** Whether any slot, or this one, is being compiled or about to be. */
  isBusy(slotId?: string): boolean
  /** Prepares a slot as soon as possible, or waits for what is under way. Resolves when it has been. */
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
  const due = new Map<string, Compilation>()
  const running = new Map<string, Run>()
  const changed = new Set<string>()
  let isRunning = false
  let lastTookMs = 0
  let isGathering = false

  /** Compiles all that are due, in turns: visitors of a small slot do not wait for a large one. */
  async function run(): Promise<void> {
    isRunning = true
    while (due.size + running.size > 0) {
      for (const [slotId, compilation] of due) {
        if (running.has(slotId)) continue
        due.delete(slotId)
        running.set(slotId, { ...compilation, steps: preparing(slotId), began: performance.now() })
      }
      for (const [slotId, { steps, began, end }] of running) {
        if (!(await isDoneAfterShare(steps))) continue
        lastTookMs = performance.now() - began
        running.delete(slotId)
        end()
      }
    }
    isRunning = false
  }

  async function isDoneAfterShare(steps: Run['steps']): Promise<boolean> {
    const until = performance.now() + SHARE_MS
    do {
      if (isDoneAfter(steps)) return true
      const turn = pauseIfLong()
      if (turn) await turn
    } while (performance.now() < until)
    return false
  }

  /** Compiles a slot as it is now: what has begun before does not do. */
  function begin(slotId: string): Promise<void> {
    const waiting = due.get(slotId)
    if (waiting) return waiting.done
    let end = () => {}
    const done = new Promise<void>(resolve => {
      end = resolve
    })
    due.set(slotId, { done, end })
    if (!isRunning) void run()
    return done
  }

  return {
    isBusy: slotId =>
      slotId === undefined
        ? isRunning || changed.size > 0
        : running.has(slotId) || due.has(slotId) || changed.has(slotId),
    // Of a slot that changed since it has begun, the next one is due anyway.
    prepare: slotId => running.get(slotId)?.done ?? begin(slotId),
    prepareSoon(slotId) {
      changed.add(slotId)
      if (isGathering) return
      isGathering = true
      const gatherMs = Math.max(GATHER_MS.least, Math.min(GATHER_MS.most, lastTookMs))
      setTimeout(() => {
        isGathering = false
        const slotIds = [...changed]
        changed.clear()
        for (const each of slotIds) void begin(each)
      }, gatherMs).unref()
    },
  }
}

/** A slot that is to be compiled. */
interface Compilation {
  done: Promise<void>
  end: () => void
}

/** A slot that is being compiled. */
interface Run extends Compilation {
  steps: Generator<void, void>
  began: number
}

function isDoneAfter(steps: Run['steps']): boolean {
  try {
    return steps.next().done === true
  } catch {
    // It fails once more where it is needed, and is told there.
    return true
  }
}
