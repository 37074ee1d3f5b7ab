import { seededRandom } from '@slotstream/core'

/** A content of the simulated slot. */
export interface WorldItem {
  id: string
  category: string
}

/** One request: who asks, where, and what can be shown. */
export interface WorldRequest {
  /** What policies are told. */
  person: { personId: string; traits: Record<string, string> }
  context: Record<string, string>
  items: readonly WorldItem[]
  /** The probability of a reward of each item: hidden from policies. */
  expected: readonly number[]
  /** What tastes really depend on, for those who are told: a cell of person and context, and places in lists. */
  truth: { cell: number; categories: readonly number[]; items: readonly number[] }
}

/** What happens in a world. */
export interface WorldOptions {
  decisions: number
  /** Whether tastes turn in the middle. */
  turns: boolean
  /** Decisions after which an item is replaced by a new one. 0: never. */
  newItemEvery: number
}

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
 * Simulates a slot's requests. Each person belongs to a group, of which a trait tells; each group has a favourite category in
 * the morning and another in the afternoon; each item is a little better or worse than its category. Another trait and the
 * device say nothing. Nothing of this is declared: a policy has to find out which of it matters, and that it is crossed.
 */
export function* simulateWorld(seed: string, options: WorldOptions): Generator<WorldRequest> {
  const random = seededRandom(`world\0${seed}`)
  const among = (count: number) => Math.floor(random() * count)
  let tastes = drawTastes(random)
  const persons = Array.from({ length: PERSONS }, (_, i) => ({ id: `p${i}`, group: among(3), colour: among(4) }))
  let made = 0
  const newItem = (): HiddenItem => {
    const number = made++
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
    yield {
      person: { personId: person.id, traits: { plan: GROUPS[person.group]!, colour: COLOURS[person.colour]! } },
      context: { daypart: DAYPARTS[daypart]!, device: DEVICES[among(2)]! },
      items: items.map(({ id, category }) => ({ id, category })),
      expected: items.map(({ categoryIndex, quality }) =>
        Math.min(0.95, Math.max(0.01, tastes[cell]![categoryIndex]! + quality)),
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
