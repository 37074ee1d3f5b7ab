import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'

/** A process starves when its threads together waited for the processor for this part of the time. */
const STARVED_SHARE = 1 / 2
/** Where the kernel doesn't tell, the machine is busy when so many programs wait for each of its processors. */
const BUSY_LOAD = 2
const NANOSECONDS_PER_MS = 1_000_000

/**
 * Begins to look how much of the processor a process gets.
 *
 * @returns tells whether it waited for the processor for most of the time since then, ready to work
 */
export function noteShareOf(pid: number): () => boolean {
  const before = waitedMs(pid)
  const startedAt = performance.now()
  return () => {
    const after = waitedMs(pid)
    if (before === undefined || after === undefined) return loadavg()[0]! > BUSY_LOAD * availableParallelism()
    return after - before > (performance.now() - startedAt) * STARVED_SHARE
  }
}

/** Returns for how long the threads of a process waited for a processor, in milliseconds; Linux tells. */
function waitedMs(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const waits = threads.map(thread => waitOf(`/proc/${pid}/task/${thread}/schedstat`))
    return waits.reduce((sum, wait) => sum + wait, 0) / NANOSECONDS_PER_MS
  } catch {
    return undefined
  }
}

/** The second number; 0 of a thread that has ended meanwhile. */
function waitOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[1])
  } catch {
    return 0
  }
}
