/**
 * How often a service is asked for a sign of life, how long it may take for that, and how often it may miss in a row.
 */
const EVERY_MS = 5_000
export const ANSWER_MS = 5_000
const MISSES = 6

/**
 * Watches a service that runs but may be stuck. Misses are counted, not time, so that a machine that slept doesn't
 * count as a service that hung.
 *
 * @param answers asks for a sign of life
 * @param onStuck called once, when there was none for about a minute
 * @returns ends the watch
 */
export function watch(answers: () => Promise<boolean>, onStuck: () => void, everyMs = EVERY_MS): () => void {
  let misses = 0
  let timer: NodeJS.Timeout | undefined
  const check = async () => {
    misses = (await answers().catch(() => false)) ? 0 : misses + 1
    if (timer === undefined) return
    if (misses >= MISSES) onStuck()
    else timer = setTimeout(check, everyMs)
  }
  timer = setTimeout(check, everyMs)
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}
