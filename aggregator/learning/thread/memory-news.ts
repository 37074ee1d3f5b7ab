import type { Learned } from '@slotstream/core'
import type { MemoryNews } from './messages.js'

/** Interval at which the memory in use is reported, in milliseconds. */
const EVERY_MS = 5_000

/**
 * Creates the function that reports the memory in use; it returns undefined until the interval is over.
 */
export function createMemoryNews(): (learned: Learned, now: number) => MemoryNews | undefined {
  let toldAt = Number.NEGATIVE_INFINITY
  return ({ bytes, contents }, now) => {
    if (now < toldAt + EVERY_MS) return undefined
    toldAt = now
    const { left } = contents
    contents.left = 0
    return { type: 'memory', slots: bytes, contents: contents.bytes, left }
  }
}
