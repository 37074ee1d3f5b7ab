import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

const MB = 1024 * 1024

/** Shares of the machine's memory, and of what the engine lets a process use, that profiles take at most. */
const MACHINE_SHARE = 1 / 6
const HEAP_SHARE = 1 / 3

/** Returns the bytes that profiles may take in memory unless a setting says otherwise: a whole number of megabytes. */
export function defaultProfileMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0
  const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  const bytes = Math.min(MACHINE_SHARE * machine, HEAP_SHARE * getHeapStatistics().heap_size_limit)
  return Math.max(16, Math.floor(bytes / MB)) * MB
}
