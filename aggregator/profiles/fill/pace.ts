import { pause } from '@slotstream/runtime'

/** Messages between two looks at the rate. */
const LOOK_EVERY = 64

/**
 * Makes the function that a fill asks after each message: it returns what to wait for, so that live messages and
 * answers come first, and no more than `rate` messages a second are read; 0: as many as there is time for.
 *
 * @param slice see `createSlices`
 */
export function createPace(rate: number, slice: () => Promise<void> | undefined): () => Promise<void> | undefined {
  let count = 0
  let began = 0

  return () => {
    if (rate > 0 && count++ % LOOK_EVERY === 0) {
      const now = performance.now()
      const due = began + (count * 1_000) / rate
      // What was not used is not made up for.
      if (due < now - 1_000) {
        began = now
        count = 1
      } else if (due > now) return pause(due - now)
    }
    return slice()
  }
}
