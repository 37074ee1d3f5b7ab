/** How often a service is asked for a sign of life, and how long it may take for that. */
const EVERY_MS = 5_000
export const ANSWER_MS = 5_000
/**
 * How much it may miss in a row: six questions, or six times as many while it is the machine that keeps it from
 * answering. A service that gives way to the others gets nothing of a busy processor for minutes, and isn't stuck.
 */
const MISS = 6
const STARVED_MISS = 1
const PATIENCE = 6 * MISS

/**
 * Watches a service that runs but may be stuck. Misses are counted, not time, so that a machine that slept doesn't
 * count as a service that hung.
 *
 * @param answers asks for a sign of life
 * @param onStuck called once, when there was none for about a minute, or for six on a busy machine
 * @param noteShare begins to look how much of the processor it gets; what that returns tells whether it was too little
 * @returns ends the watch
 */
export function watch(
  answers: () => Promise<boolean>,
  onStuck: () => void,
  noteShare: () => () => boolean = () => () => false,
  everyMs = EVERY_MS,
): () => void {
  let missed = 0
  let timer: NodeJS.Timeout | undefined
  const check = async () => {
    const isStarved = noteShare()
    if (await answers().catch(() => false)) missed = 0
    else missed += isStarved() ? STARVED_MISS : MISS
    if (timer === undefined) return
    if (missed >= PATIENCE) onStuck()
    else timer = setTimeout(check, everyMs)
  }
  timer = setTimeout(check, everyMs)
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}
