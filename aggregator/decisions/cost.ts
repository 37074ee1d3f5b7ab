import type { Answer } from './answer.js'

/** Work of a request that costs nothing beyond its slots: three positions among a few hundred contents. */
const FREE_WORK = 1_000

/** Work that costs as much as one message. */
const WORK_PER_MESSAGE = 250

/**
 * Returns what an answer costs the client, beyond one message a slot, in messages: a short request may ask for many
 * items out of many contents, which takes the owner of the partition long.
 */
export function costOf({ work }: Pick<Answer, 'work'>): number {
  return Math.floor(Math.max(0, work - FREE_WORK) / WORK_PER_MESSAGE)
}
