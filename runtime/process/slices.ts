/** How long small steps may run on before other work gets its turn, in milliseconds. */
const SLICE_MS = 5

/**
 * Makes the function that long runs of small steps ask after each step: it returns what to wait for once this turn of
 * the event loop has lasted too long, so that visitors who wait for a decision are answered in between.
 */
export function createSlices(sliceMs = SLICE_MS): () => Promise<void> | undefined {
  let began: number | undefined
  let turn: Promise<void> | undefined
  return () => {
    if (began !== undefined) return performance.now() - began > sliceMs ? turn : undefined
    began = performance.now()
    turn = new Promise(resolve =>
      setImmediate(() => {
        began = undefined
        resolve()
      }),
    )
    return undefined
  }
}
