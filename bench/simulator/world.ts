import { seededRandom } from '@slotstream/core'

/** A content of the simulated slot. */
export interface WorldItem {
  id: string
  category: string
}

/** One request: who asks, where, and what can be shown. */
export interface WorldRequest {
  /** Facts that policies are told. */
  person: { personId: string; traits: Record<string, string> }
  context: Record<string, string>
  items: readonly WorldItem[]
  /** Whether a program asks: it likes nothing, and clicks anything. Hidden from policies. */
  isBot: boolean
  /** The probability of a reward of each item where it is seen: hidden from policies. */
  expected: readonly number[]
  /** Facts that tastes really depend on, for those who are told: a cell of person and context, and places in lists. */
  truth: { cell: number; categories: readonly number[]; items: readonly number[] }
}

/** Options of a world. */
export interface WorldOptions {
  decisions: number
  /** Whether tastes turn in the middle. */
  turns: boolean
  /** Decisions after which an item is replaced by a new one. 0: never. */
  newItemEvery: number
  /** Most that a taste moves with each decision, up or down, as a probability. Default 0 */
  drift?: number
  /** Share of requests by programs. Default 0 */
  bots?: number
}

/** Least and greatest probability of a reward, and that of anything that a program is shown. */
const LEAST = 0.01
const MOST = 0.95
const OF_BOT = 0.3

const GROUPS = ['free', 'pro', 'team']
const DAYPARTS = ['morning', 'afternoon']
const COLOURS = ['red', 'green', 'blue', 'grey']
const DEVICES = ['phone', 'laptop']
const CATEGORIES = ['bags', 'hats', 'shoes', 'tents', 'toys']
const ITEMS = 15
const PERSONS = 300

/** Cells of person and context, and of those with a category: as many as tastes have. */
export const CELLS = GROUPS.length * DAYPARTS.length
export const CATEGORY_COUNT = CATEGORIES.length

interface HiddenItem extends WorldItem {
  categoryIndex: number
  number: number
  quality: number
}

/**
 * Simulates a slot's requests. Each person belongs to a group, of which a trait tells; each group has a favourite
 * category in the morning and another in the afternoon; each item is a little better or worse than its category.
 * Another trait and the device say nothing. Nothing of this is declared: a policy has to find out which of it matters,
 * and that it is crossed. Tastes may turn, or drift all the time; items come and go; and some of those who ask are
 * programs.
 */
export function* simulateWorld(seed: string, options: WorldOptions): Generator<WorldRequest> {
  const random = seededRandom(`world\0${seed}`)
  // Apart, so that worlds without these stay as they are.
  const others = seededRandom(`others\0${seed}`)
  const { drift = 0, bots = 0 } = options
  const among = (count: number) => Math.floor(random() * count)
  let tastes = drawTastes(random)
  const persons = Array.from({ length: PERSONS }, (_, i) => ({ id: `p${i}`, group: among(3), colour: among(4) }))
  let itemCount = 0
  const newItem = (): HiddenItem => {
    const number = itemCount++
    const categoryIndex = number < ITEMS ? number % CATEGORIES.length : among(CATEGORIES.length)
    return {
      id: `i${number}`,
      number,
      categoryIndex,
      category: CATEGORIES[categoryIndex]!,
      quality: 0.3 * (random() - 0.5),
    }
  }
  const items = Array.from({ length: ITEMS }, newItem)
  for (let n = 0; n < options.decisions; n++) {
    if (options.turns && n === Math.floor(options.decisions / 2)) tastes = drawTastes(random)
    if (options.newItemEvery > 0 && n > 0 && n % options.newItemEvery === 0) {
      items.shift()
      items.push(newItem())
    }
    const person = persons[among(PERSONS)]!
    const daypart = among(DAYPARTS.length)
    const cell = person.group * DAYPARTS.length + daypart
    if (drift > 0) move(tastes, drift, others)
    const isBot = bots > 0 && others() < bots
    yield {
      person: { personId: person.id, traits: { plan: GROUPS[person.group]!, colour: COLOURS[person.colour]! } },
      context: { daypart: DAYPARTS[daypart]!, device: DEVICES[among(2)]! },
      items: items.map(({ id, category }) => ({ id, category })),
      isBot,
      expected: items.map(({ categoryIndex, quality }) =>
        isBot ? OF_BOT : within(tastes[cell]![categoryIndex]! + quality),
      ),
      truth: { cell, categories: items.map(item => item.categoryIndex), items: items.map(item => item.number) },
    }
  }
}

/** Draws the probability of a reward of each category in each cell: one favourite, the others less liked. */
function drawTastes(random: () => number): number[][] {
  return Array.from({ length: CELLS }, () => {
    const favourite = Math.floor(random() * CATEGORY_COUNT)
    return CATEGORIES.map((_, category) => (category === favourite ? 0.4 + 0.2 * random() : 0.05 + 0.15 * random()))
  })
}

/** Moves each taste a little, by itself. */
function move(tastes: number[][], most: number, random: () => number): void {
  for (const cell of tastes)
    for (const [category, taste] of cell.entries()) cell[category] = within(taste + most * (2 * random() - 1))
}

function within(probability: number): number {
  return Math.min(MOST, Math.max(LEAST, probability))
}
