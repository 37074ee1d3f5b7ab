import { createHash } from 'node:crypto'
import { compareIds, type Interaction } from './read-interactions.js'

/** Ways to split a log. */
export const SPLITS = ['md5', 'time', 'last'] as const

export type Split = (typeof SPLITS)[number]

/** Of `time`: the share of all lines that train. */
const TRAINING_SHARE = 0.8

/** Returns for each line whether it tests: see docs/policies.md. */
export function splitLog(interactions: readonly Interaction[], split: Split): boolean[] {
  if (split === 'md5') return interactions.map(({ user, item }) => isTestedByHash(user, item))
  return split === 'time' ? splitByTime(interactions) : splitByLast(interactions)
}

function isTestedByHash(user: string, item: string): boolean {
  return Number.parseInt(createHash('md5').update(`${user}:${item}`).digest('hex').slice(0, 8), 16) % 5 === 0
}

/** Trains on the first lines: by time, then user, then item. */
function splitByTime(interactions: readonly Interaction[]): boolean[] {
  const order = [...interactions.keys()].sort((a, b) => {
    const [first, second] = [interactions[a]!, interactions[b]!]
    return first.time - second.time || compareIds(first.user, second.user) || compareIds(first.item, second.item)
  })
  const training = Math.floor(TRAINING_SHARE * interactions.length)
  const tests = new Array<boolean>(interactions.length).fill(false)
  for (const index of order.slice(training)) tests[index] = true
  return tests
}

/** Tests on the last line of each user; of those with the same time, the one with the higher item. */
function splitByLast(interactions: readonly Interaction[]): boolean[] {
  const last = new Map<string, number>()
  for (const [index, { user, item, time }] of interactions.entries()) {
    const latest = last.get(user)
    const before = latest === undefined ? undefined : interactions[latest]!
    if (!before || time > before.time || (time === before.time && compareIds(item, before.item) > 0))
      last.set(user, index)
  }
  const testing = new Set(last.values())
  return interactions.map((_, index) => testing.has(index))
}
