import type { WorldOptions } from '../simulator/world.js'
import { markdownTable } from '../support/table.js'
import { linTsPlayer } from './lin-ts.js'
import { type Played, play } from './play.js'
import { greedyPlayer, type Player, policyPlayer, randomPlayer } from './players.js'
import { playVowpalWabbit, VOWPAL_WABBIT } from './vowpal-wabbit.js'

const SEEDS = Array.from({ length: 20 }, (_, i) => `${i}`)
const PARTS = 4
const WORLDS: Record<string, WorldOptions> = {
  'tastes turn in the middle, an item is replaced every 300 decisions': {
    decisions: 4_000,
    turns: true,
    newItemEvery: 300,
  },
  'nothing changes': { decisions: 4_000, turns: false, newItemEvery: 0 },
}
/** Items that these worlds make, at most. */
const MOST_ITEMS = 64
const TEXTBOOK = 'LinTS that is told the features'

const PLAYERS: Record<string, (seed: string) => Player> = {
  contextual: seed => policyPlayer({ type: 'contextual' }, seed),
  default: seed => policyPlayer(undefined, seed),
  'thompson (Beta–Bernoulli)': seed => policyPlayer({ type: 'thompson' }, seed, 0),
  'ε-greedy, ε 0.1': seed => greedyPlayer(seed),
  random: seed => randomPlayer(seed),
  [TEXTBOOK]: seed => linTsPlayer(seed, MOST_ITEMS),
}

/**
 * Measures the regret of policies in a small world with hidden tastes by person and context, against a textbook's LinTS
 * that is told what they depend on, and Vowpal Wabbit where it is installed: means over seeds with 95 % intervals.
 */
export async function benchRegret(): Promise<string> {
  const sections: string[] = []
  for (const [title, world] of Object.entries(WORLDS)) {
    const results = Object.entries(PLAYERS).map(([name, create]) => ({
      name,
      played: SEEDS.map(seed => play(create(seed), seed, world, PARTS)),
    }))
    const python = process.env.PYTHON ?? 'python3'
    for (const [name, options] of Object.entries(VOWPAL_WABBIT)) {
      const played = playVowpalWabbit(options, SEEDS, world, PARTS, python)
      if (played) results.push({ name, played })
      else sections.push(`Skipped: ${name}, because ${python} has no vowpalwabbit (pip install vowpalwabbit==9.11.9).`)
    }
    const textbook = results.find(({ name }) => name === TEXTBOOK)!.played.map(totalOf)
    const rows = results.map(({ name, played }) => rowOf(name, played, textbook))
    const quarters = Array.from({ length: PARTS }, (_, part) => `best, ${part + 1}/${PARTS}`)
    sections.push(
      `regret: ${world.decisions} decisions, ${title}; ${SEEDS.length} seeds; aim: at most 1.5 × LinTS\n` +
        markdownTable(['', 'regret', '±', '÷ LinTS', ...quarters], rows),
    )
  }
  return sections.join('\n\n')
}

function rowOf(name: string, played: readonly Played[], textbook: readonly number[]): string[] {
  const totals = played.map(totalOf)
  const bests = Array.from({ length: PARTS }, (_, part) => mean(played.map(({ best }) => best[part]!)))
  return [
    name,
    mean(totals).toFixed(0),
    interval(totals).toFixed(0),
    (mean(totals) / mean(textbook)).toFixed(2),
    ...bests.map(share => `${(100 * share).toFixed(0)} %`),
  ]
}

function totalOf({ regret }: Played): number {
  return regret.reduce((sum, value) => sum + value, 0)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Returns half of the 95 % interval of a mean, by Student's t of 19 degrees of freedom. */
function interval(values: readonly number[]): number {
  const middle = mean(values)
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)
  return 2.093 * Math.sqrt(variance / values.length)
}
