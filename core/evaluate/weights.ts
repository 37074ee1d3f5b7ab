import type { DecisionLog, LoggedSituation, Lot, RowRange } from './decision-log.js'

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
  /**
   * Standard error of the mean weight if the recorded chances are true. Undefined: some row has no list of chances.
   */
  expectedError: number | undefined
  /** Rows of which the log does not say what could be shown. */
  unlisted: number
  /** Error of the mean weight that rounding of the logged chances explains, at most. */
  rounding: number
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
  const spreads = log.situations.map((situation, number) => expectedSpread(situation, lots[number]!))
  let supportedMass = 0
  let mass = 0
  let impossible = 0
  let spread = 0
  let unlisted = 0
  let rounding = 0
  for (let row = from; row < to; row++) {
    const situation = log.situation[row]!
    supportedMass += supported[situation]!
    mass += masses[situation]!
    spread += spreads[situation] ?? Number.NaN
    if (!log.situations[situation]!.eligible) unlisted++
    const propensity = log.propensity[row]!
    if (propensity > 0 && propensity <= 1)
      weight[row - from] = chanceIn(lots[situation]!, log.action[row]!) / propensity
    else impossible++
    rounding += weight[row - from]! * (log.rounding?.[row] ?? 0)
  }
  return {
    weight,
    decision: log.decision.subarray(from, to),
    overlap: mass > 0 ? Math.min(1, supportedMass / mass) : 0,
    shown: mass / Math.max(1, to - from),
    impossible,
    expectedError: Number.isNaN(spread) ? undefined : Math.sqrt(spread) / (to - from),
    unlisted,
    rounding: rounding / Math.max(1, to - from),
  }
}

/**
 * Returns the variance of the weight in a situation that follows from its recorded chances: Σ π² / μ − (Σ π)², over
 * what has a chance. Below other content, chances are taken to be in proportion to those for the first position.
 */
function expectedSpread({ eligible, chances, above }: LoggedSituation, lot: Lot): number | undefined {
  if (!eligible || !chances) return undefined
  const left = new Map<number, number>()
  for (const [place, action] of eligible.entries()) if (!above.includes(action)) left.set(action, chances[place]!)
  const whole = [...left.values()].reduce((sum, chance) => sum + chance, 0)
  let squares = 0
  let shown = 0
  for (let place = 0; place < lot.actions.length; place++) {
    const logged = left.get(lot.actions[place]!) ?? 0
    if (!(logged > 0)) continue
    squares += (lot.chances[place]! ** 2 * whole) / logged
    shown += lot.chances[place]!
  }
  return Math.max(0, squares - shown * shown)
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
 * Returns, by situation, the share of the policy's chances for actions with a logged chance; else, for those that were
 * ever logged at the position, and could be shown there as far as the log says.
 */
function supportedShares(log: DecisionLog, { from, to }: RowRange, lots: readonly Lot[]): Float64Array {
  const logged = new Uint8Array(log.positions * log.ids.length)
  for (let row = from; row < to; row++)
    logged[log.situations[log.situation[row]!]!.position * log.ids.length + log.action[row]!] = 1
  /** Situations share these lists. */
  const sets = new Map<readonly unknown[], Set<number>>()
  const setOf = (list: readonly unknown[], actions: () => readonly number[]): Set<number> => {
    const set = sets.get(list) ?? new Set(actions())
    sets.set(list, set)
    return set
  }
  return Float64Array.from(log.situations, ({ position, eligible, possible, above }, situation) => {
    const lot = lots[situation]!
    const listed = eligible && setOf(eligible, () => eligible)
    // The recorded chances are those for the first position; further down, others may win.
    const recorded =
      above.length === 0 && eligible && possible
        ? setOf(possible, () => eligible.filter((_, place) => possible[place]))
        : undefined
    let share = 0
    for (let place = 0; place < lot.actions.length; place++) {
      const action = lot.actions[place]!
      // What is above is not shown again, nor is what was not eligible.
      const isPossible = recorded
        ? recorded.has(action)
        : logged[position * log.ids.length + action] === 1 && !above.includes(action) && (listed?.has(action) ?? true)
      if (isPossible) share += lot.chances[place]!
    }
    return share
  })
}
