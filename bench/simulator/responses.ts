import { seededRandom } from '@slotstream/core'
import type { WorldRequest } from './world.js'

/** How visitors respond to what they are shown. */
export interface ResponseOptions {
  /** Chance that a position is seen, as a factor for each further one. Default 1: all are seen */
  seenFactor?: number
  /** Share of rewards that never arrive. Default 0 */
  lost?: number
  /** Mean time until a reward arrives, in milliseconds. Default 0 */
  delayMs?: number
}

/** Outcome of one position. */
export interface Response {
  isSeen: boolean
  /** 1 or 0, as it happened. */
  reward: number
  /** 1 or 0, as it arrived. */
  arrived: number
  /** When it arrived, in milliseconds after the decision; 0: nothing did */
  afterMs: number
}

/** Draws the reward of an item at a request: the same for every player. */
export function rewardOf(seed: string, n: number, index: number, expected: readonly number[]): number {
  return seededRandom(`reward\0${seed}\0${n}\0${index}`)() < expected[index]! ? 1 : 0
}

/**
 * Draws what comes of a slate: whether each position is seen, whether it earns something, and when that arrives, if it
 * does. The same for every player.
 *
 * @param n number of the request
 * @param shown indices of items, by position
 */
export function respond(
  seed: string,
  n: number,
  { expected }: WorldRequest,
  shown: readonly number[],
  { seenFactor = 1, lost = 0, delayMs = 0 }: ResponseOptions,
): Response[] {
  return shown.map((index, position) => {
    const random = seededRandom(`response\0${seed}\0${n}\0${position}`)
    const isSeen = random() < seenFactor ** position
    const reward = isSeen ? rewardOf(seed, n, index, expected) : 0
    const isLost = random() < lost
    const afterMs = -delayMs * Math.log(1 - random())
    return reward === 1 && !isLost
      ? { isSeen, reward, arrived: 1, afterMs }
      : { isSeen, reward, arrived: 0, afterMs: 0 }
  })
}

/** Returns what an item at a position can be expected to earn, as it arrives. */
export function expectedReward(
  { expected }: WorldRequest,
  index: number,
  position: number,
  { seenFactor = 1, lost = 0 }: ResponseOptions,
): number {
  return expected[index]! * seenFactor ** position * (1 - lost)
}
