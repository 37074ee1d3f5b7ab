/** The time that a feature looks at. Times are in milliseconds, those of slots since the epoch. */
export type Window =
  | { kind: 'lifetime' }
  | { kind: 'session' }
  /** The last `ms` milliseconds, by tiles. */
  | { kind: 'sliding'; ms: number; tile: number }
  /** The present one of the periods of `ms` milliseconds that follow one another since 1970 in UTC. */
  | { kind: 'tumbling'; ms: number }
  /** Everything, each message counting half as much after every `ms` milliseconds. */
  | { kind: 'decay'; ms: number }

/** Tiles of a window: its length is a whole number of them. */
const TILES = 60

/** Shortest tile, in milliseconds. */
const LEAST_TILE_MS = 1_000

/** Half-lives after which a message no longer counts: it would be less than a millionth of what it was. */
export const HALF_LIVES = 20

/** Returns the window of the last `ms` milliseconds. */
export function slidingWindow(ms: number): Window {
  return { kind: 'sliding', ms, tile: Math.max(LEAST_TILE_MS, Math.floor(ms / TILES)) }
}

/** Returns the slot of time that a message of time `at` counts in. A tile ends with its last millisecond, inclusive. */
export function slotOf(window: Window, at: number): number {
  switch (window.kind) {
    case 'sliding':
      return Math.ceil(at / window.tile) - 1
    case 'tumbling':
    case 'decay':
      return Math.floor(at / window.ms)
    default:
      return 0
  }
}

/**
 * Returns the first slot that can still count once there is a message in the slot `last`: earlier ones are dropped, and
 * what comes later for them is not taken, so that it does not matter when they were dropped.
 */
export function firstSlotBeside(window: Window, last: number): number {
  switch (window.kind) {
    case 'sliding':
      return last - Math.ceil(window.ms / window.tile)
    case 'tumbling':
      return last
    case 'decay':
      return last - HALF_LIVES
    default:
      return 0
  }
}

/** Drops slots before `first`. Changes `slots`: slot, cell, slot, cell … */
export function dropBefore(slots: unknown[], first: number): void {
  let dropped = 0
  while (dropped < slots.length && (slots[dropped] as number) < first) dropped += 2
  if (dropped > 0) slots.splice(0, dropped)
}

/** Returns whether a window tells times apart: if not, there is one slot only. */
export function hasSlots({ kind }: Window): boolean {
  return kind === 'sliding' || kind === 'tumbling' || kind === 'decay'
}

/** Returns the first slot that counts at a time, in milliseconds since the epoch. */
export function firstSlotAt(window: Window, at: number): number {
  switch (window.kind) {
    case 'sliding':
      return Math.floor((at - window.ms) / window.tile)
    case 'tumbling':
      return Math.floor(at / window.ms)
    default:
      return Number.NEGATIVE_INFINITY
  }
}

/** Returns the weight of a message of time `at` in its slot of a decaying window: 1 at the slot's begin, up to 2. */
export function weightInSlot(window: { kind: 'decay'; ms: number }, at: number): number {
  return 2 ** (at / window.ms - Math.floor(at / window.ms))
}

/** Returns the weight that a slot of a decaying window has at a time. */
export function weightOfSlot(window: { kind: 'decay'; ms: number }, slot: number, at: number): number {
  return 2 ** (slot - at / window.ms)
}
