import type { Answer } from './answer.js'

/** Work of a request that is free: three positions among a few hundred contents. */
const FREE_WORK = 1_000

/** Work that costs as much as one message. */
const WORK_PER_MESSAGE = 250

/**
 * Returns by how many messages an answer counts towards the rate limits of the client, beyond one per slot: a short
 * request may ask for many items among many contents, which takes long.
 */
export function costOf({ work }: Pick<Answer, 'work'>): number {
  return Math.floor(Math.max(0, work - FREE_WORK) / WORK_PER_MESSAGE)
}
