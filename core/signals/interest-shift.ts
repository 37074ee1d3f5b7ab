import { hash32, type InterestMemory, type StoredMessage } from '@slotstream/protocol'
import { addInterests, decayedTo } from '../profile/affinities.js'
import type { Detector } from './detector.js'
import { divergenceOf } from './divergence.js'
import { productIdOf } from './product-id.js'

/**
 * A category leads only with at least this: three product views within a day, or one product in the cart. It isn't 3,
 * because of three views that are seconds apart the first two are worth a little less than 1 each.
 */
export const EVIDENCE = 2.8

/** Less than three messages make their category the first to lead with this: something was ordered, say. */
const WITHOUT_COUNT = 5

/**
 * Factor by which a category has to be stronger than the leading one to replace it slowly. Without a margin, a visitor
 * who looks at two things in turns would shift with every click; with one, each shift back needs half as much again.
 */
export const MARGIN = 1.5

/**
 * Latest messages with a category that are compared with those before, and how many of a category they have at least.
 */
export const RECENT = 5
const LEAST_RECENT = 3

/** Divergence of their categories from those before, in nats, that is a shift: see `divergenceOf`. */
export const DIVERGENCE = 6.5

/**
 * After this long, what came before counts half, in milliseconds: longer than for affinities, because a visitor who
 * stayed away for some weeks and looks at one other thing has not changed.
 */
export const MEMORY_MS = 60 * 24 * 3_600_000

/** Categories of one message that count: an order may have hundreds. */
const MAX_CATEGORIES = 10

const NOTHING: InterestMemory = { base: {}, at: 0, recent: [] }

/**
 * The category that leads the visitor's interests is another one than before: because the latest messages diverge from
 * those before, or because another one has become the strongest over time. The first one to lead is no shift.
 */
export const interestShift: Detector<string | InterestMemory> = (
  { before, message, at, after, interests },
  memoryBefore,
) => {
  const { affinities } = after
  if (affinities === before?.affinities) return { memory: memoryBefore }
  const categories = interests.slice(0, MAX_CATEGORIES).map(([category]) => category)
  // Profiles that are older than the comparison remember the leading category alone.
  const earlier = typeof memoryBefore === 'string' ? { ...NOTHING, leading: memoryBefore } : (memoryBefore ?? NOTHING)
  const memory = withMessage(earlier, message, at, categories)
  const { leading, passed } = memory
  if (leading === undefined) return { memory: withLead(memory, affinities) }
  // What leads only gets further ahead: that is so with most messages, and costs nothing.
  if (passed === undefined && categories.every(category => category === leading)) return { memory }
  // Where little is known from before, what messages cost the visitor says more than how many there were.
  const sums = sumOf(memory.base) < EVIDENCE ? affinities : countsOf(memory)
  const [strongest, strength] = strongestOf(sums)
  const isAhead =
    strongest !== leading && strength >= EVIDENCE && strength >= MARGIN * strengthOf(sums, leading) ? strongest : ''
  const to = divergingOf(memory, leading) ?? (strongest === passed && !isBack(memory, strongest) ? '' : isAhead)
  if (to === '') return { memory: strongest === leading ? ledBy(memory, leading) : memory }
  const details = {
    from: leading,
    to,
    from_affinity: rounded(strengthOf(affinities, leading)),
    to_affinity: rounded(strengthOf(affinities, to)),
  }
  // What was the strongest may stay so for a while, which is no shift back.
  return { memory: ledBy(memory, to, strongest === to ? undefined : strongest), details }
}

/** Returns the memory with the category that leads first, if one does. */
function withLead(memory: InterestMemory, affinities: Record<string, number>): InterestMemory {
  const [strongest, strength] = strongestOf(affinities)
  const messages = sum(memory.recent.map(entry => partOf(entry, strongest) * entry[3]))
  const isLead = strength >= EVIDENCE && (strength >= WITHOUT_COUNT || messages >= LEAST_RECENT)
  return isLead ? ledBy(memory, strongest, memory.passed) : memory
}

/** Returns the memory with another category that leads, and the one that it passed. */
function ledBy({ base, at, recent }: InterestMemory, leading?: string, passed?: string): InterestMemory {
  const memory: InterestMemory = { base, at, recent }
  if (leading !== undefined) memory.leading = leading
  if (passed !== undefined) memory.passed = passed
  return memory
}

/**
 * Returns the memory with a message. Of the latest messages the oldest goes to those before. One about a product that
 * is among the latest goes with that: to put into the cart what one looks at says more of one thing, and not of
 * another.
 */
function withMessage(
  memory: InterestMemory,
  { properties }: StoredMessage,
  at: number,
  categories: string[],
): InterestMemory {
  const { leading, passed } = memory
  const productId = productIdOf(properties)
  const product = productId === undefined ? 0 : hash32(productId)
  const same = product === 0 ? undefined : memory.recent.find(entry => entry[2] === product)
  if (same) {
    const counted: Recent = [same[0], same[1], product, same[3] + 1]
    const recent = memory.recent.map(entry => (entry === same ? counted : entry))
    return ledBy({ base: memory.base, at: memory.at, recent }, leading, passed)
  }
  const recent = memory.recent.slice()
  recent.push([at, categories, product, 1])
  if (recent.length <= RECENT) return ledBy({ base: memory.base, at: memory.at, recent }, leading, passed)
  const oldest = recent.shift()!
  const base = addInterests({ values: memory.base, at: memory.at }, interestsIn(oldest), oldest[0], MEMORY_MS)
  return ledBy({ base: base.values, at: base.at, recent }, leading, passed)
}

type Recent = InterestMemory['recent'][number]

/**
 * Returns the categories of a message with their parts. A message counts once, whatever its weight: one with several
 * categories counts in parts.
 */
function interestsIn([, categories]: Recent): [category: string, part: number][] {
  return categories.map(category => [category, 1 / categories.length])
}

/** Returns the messages by category, of the latest ones and of those before. */
function countsOf({ base, at, recent }: InterestMemory): Record<string, number> {
  let sums = { values: base, at }
  for (const entry of recent) sums = addInterests(sums, interestsIn(entry), entry[0], MEMORY_MS)
  return sums.values
}

/**
 * Returns the category that the latest messages have more often than those before would give by chance; the clearest.
 */
function divergingOf({ base, at, recent }: InterestMemory, leading: string): string | undefined {
  let diverging: string | undefined
  let most: number = DIVERGENCE
  for (const category of new Set(recent.flatMap(([, categories]) => categories))) {
    if (category === leading) continue
    const hits = recent.map(entry => partOf(entry, category))
    if (sum(hits) < LEAST_RECENT) continue
    const before = decayedTo(recent.at(-1)![0], { values: base, at }, MEMORY_MS)
    const [ofCategory, ofAll] = [strengthOf(before, category), sumOf(before)]
    for (let trials = LEAST_RECENT; trials <= recent.length; trials++) {
      const earlier = hits.slice(0, -trials)
      const all = ofAll + earlier.length
      // Too little to be different from.
      if (all < EVIDENCE) continue
      // As if half a message of it, and half of another one, had been seen before: the prior of Krichevsky and
      // Trofimov.
      const expected = (ofCategory + sum(earlier) + 0.5) / (all + 1)
      const divergence = divergenceOf(sum(hits.slice(-trials)), trials, expected)
      if (divergence >= most) [diverging, most] = [category, divergence]
    }
  }
  return diverging
}

/** Returns whether a category that was passed has come back: of the latest messages all but one are of it. */
function isBack(memory: InterestMemory, category: string): boolean {
  return countOf(memory, category) >= RECENT - 1
}

/** Returns how many of the latest messages are of a category. */
function countOf({ recent }: InterestMemory, category: string): number {
  return sum(recent.map(entry => partOf(entry, category)))
}

/** Returns how much of a message is of a category. */
function partOf([, categories]: Recent, category: string): number {
  return categories.includes(category) ? 1 / categories.length : 0
}

function strongestOf(values: Record<string, number>): [category: string, value: number] {
  let category = ''
  let most = 0
  for (const name in values)
    if (values[name]! > most) {
      category = name
      most = values[name]!
    }
  return [category, most]
}

function strengthOf(values: Record<string, number>, category: string): number {
  return Object.hasOwn(values, category) ? values[category]! : 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0)
}

function sumOf(values: Record<string, number>): number {
  return sum(Object.values(values))
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
