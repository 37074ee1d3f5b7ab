import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { rewardOf } from '../simulator/responses.js'
import { simulateWorld, type WorldOptions } from '../simulator/world.js'
import type { Played } from './play.js'

const SCRIPT = fileURLToPath(new URL('../../regret/vowpal-wabbit.py', import.meta.url))

/** Options of Vowpal Wabbit, as its users set them: all pairs and triples of namespaces crossed. */
export const VOWPAL_WABBIT: Record<string, string> = {
  'Vowpal Wabbit, squarecb': '--cb_explore_adf --squarecb --cb_type mtr --interactions :: --interactions ::: -q ::',
  'Vowpal Wabbit, ε 0.2': '--cb_explore_adf --epsilon 0.2 --cb_type mtr --interactions :: --interactions ::: -q ::',
}

/**
 * Plays worlds with Vowpal Wabbit, in the Python that the variable PYTHON names, else `python3`.
 *
 * @returns undefined where it is not installed (`pip install vowpalwabbit==9.11.9`)
 */
export function playVowpalWabbit(
  options: string,
  seeds: readonly string[],
  world: WorldOptions,
  parts: number,
  python: string,
): Played[] | undefined {
  if (spawnSync(python, ['-c', 'import vowpalwabbit']).status !== 0) return undefined
  const input = seeds
    .map(seed => {
      const requests = [...simulateWorld(seed, world)].map(({ person, context, items, expected }, n) => ({
        person,
        context,
        items,
        expected,
        rewards: expected.map((_, index) => rewardOf(seed, n, index, expected)),
      }))
      return JSON.stringify({ options, parts, requests })
    })
    .join('\n')
  const { status, stdout, stderr } = spawnSync(python, [SCRIPT], { input, maxBuffer: 2 ** 30, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Vowpal Wabbit failed: ${stderr.slice(-2_000)}`)
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Played)
}
