import type { Learned } from '@slotstream/core'
import type { MemoryNews } from './messages.js'

/** Time between two times of telling how much memory there is in use, in milliseconds. */
const EVERY_MS = 5_000

/**
 * Creates the function that says how much memory what was learned takes; undefined while that was said a moment ago.
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
