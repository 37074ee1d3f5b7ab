import type { DecisionLog, Lot, RowRange } from './decision-log.js'

/** Weights of rows, by which what was logged stands for what a policy would choose. */
export interface Weights {
  /** The policy's chance for the action shown, divided by the logged one, of each row. */
  weight: Float64Array
  /** Number of the decision of each row. */
  decision: Uint32Array
  /**
   * Share of the policy's chances that are for actions which the log had a chance to show; 0 where it shows nothing.
   */
  overlap: number
  /** Share of rows where the policy would show something. */
  shown: number
  /** Rows whose logged chance is none: not above 0, or above 1. Their weight is 0. */
  impossible: number
}

/**
 * Weighs rows.
 *
 * @param lots of each situation: what the policy would do there
 */
export function weighRows(log: DecisionLog, { from, to }: RowRange, lots: readonly Lot[]): Weights {
  const weight = new Float64Array(to - from)
  const supported = supportedShares(log, { from, to }, lots)
  const masses = lots.map(({ chances }) => sumOf(chances))
  let supportedMass = 0
  let mass = 0
  let impossible = 0
  for (let row = from; row < to; row++) {
    const situation = log.situation[row]!
    supportedMass += supported[situation]!
    mass += masses[situation]!
    const propensity = log.propensity[row]!
    if (propensity > 0 && propensity <= 1)
      weight[row - from] = chanceIn(lots[situation]!, log.action[row]!) / propensity
    else impossible++
  }
  return {
    weight,
    decision: log.decision.subarray(from, to),
    overlap: mass > 0 ? Math.min(1, supportedMass / mass) : 0,
    shown: mass / Math.max(1, to - from),
    impossible,
  }
}

function sumOf(chances: ArrayLike<number>): number {
  let sum = 0
  for (let place = 0; place < chances.length; place++) sum += chances[place]!
  return sum
}

function chanceIn({ actions, chances }: Lot, action: number): number {
  // Most lots have all actions in their order.
  if (actions[action] === action) return chances[action]!
  for (let place = 0; place < actions.length; place++) if (actions[place] === action) return chances[place]!
  return 0
}

/**
 * Returns, by situation, the share of the policy's chances for actions with a logged chance; else, that were ever
 * logged there.
 */
function supportedShares(log: DecisionLog, { from, to }: RowRange, lots: readonly Lot[]): Float64Array {
  const logged = new Uint8Array(log.positions * log.ids.length)
  for (let row = from; row < to; row++)
    logged[log.situations[log.situation[row]!]!.position * log.ids.length + log.action[row]!] = 1
  /** Situations share the lists of what was possible. */
  const sets = new Map<readonly boolean[], Set<number>>()
  const possibleOf = (eligible: readonly number[], possible: readonly boolean[]): Set<number> => {
    const set = sets.get(possible) ?? new Set(eligible.filter((_, place) => possible[place]))
    sets.set(possible, set)
    return set
  }
  return Float64Array.from(log.situations, ({ position, eligible, possible, above }, situation) => {
    const lot = lots[situation]!
    // The recorded chances are those for the first position; further down, others may win.
    const recorded = above.length === 0 && eligible && possible ? possibleOf(eligible, possible) : undefined
    let share = 0
    for (let place = 0; place < lot.actions.length; place++) {
      const action = lot.actions[place]!
      const isPossible = recorded ? recorded.has(action) : logged[position * log.ids.length + action] === 1
      if (isPossible) share += lot.chances[place]!
    }
    return share
  })
}
