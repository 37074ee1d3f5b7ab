/**
 * Confidence sequences for off-policy evaluation: the value of a policy by a log whose own policy was learning, valid
 * at every look at once (Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, arXiv 2210.10768). Ordinary intervals
 * are too narrow there, because the chances of each draw depend on earlier outcomes. Needs no bound of the weights,
 * only that the recorded chances are true.
 */

/** One decision of the log. */
export interface LoggedOutcome {
  /** 0 to 1. */
  reward: number
  /** Index in the lists of what was shown. */
  drawn: number
  /** For each candidate: its recorded chance. */
  logged: readonly number[]
  /** For each candidate: its chance under the policy that is valued. */
  target: readonly number[]
  /** For each candidate: the reward that a model of earlier decisions predicts, 0 to 1. Absent: 0 for all (IPS) */
  expected?: readonly number[] | undefined
}

/** The value so far, with an interval that holds at every look at once. */
export interface ValueSoFar {
  value: number
  low: number
  high: number
  decisions: number
}

/** An estimate of a value that is updated decision by decision. */
export interface ValueSequence {
  /**
   * Adds a decision.
   *
   * @throws RangeError where the policy could show what the log could not draw: such a log cannot tell its value
   */
  note(outcome: LoggedOutcome): void
  /** Returns the value so far. */
  now(): ValueSoFar
}

/** Running sums of one limit. */
interface Side {
  weighted: number
  lambdas: number
  penalty: number
  sum: number
  squares: number
}

/** Largest bet λ, so that one decision cannot ruin the bettor. */
const MOST = 0.75

/**
 * Begins an estimate. The pseudo-outcome of a decision is w (r − q) + q̄, with w the weight, q what was expected of
 * what was shown and q̄ on average under the policy; each q is cut to 1 / w, so that the pseudo-outcome never falls
 * below −1. Its lower limit is the empirical Bernstein one, (Σ λ ξ − ln(2/α) − Σ ψ(λ) (ξ − ξ̂)²) / Σ λ with ψ(λ) =
 * −ln(1 − λ) − λ, which holds since exp(λ y − ψ(λ) y²) ≤ 1 + λ y for y ≥ −1 (Fan, Grama and Liu 2015); the upper one is
 * that of 1 − r.
 *
 * @param alpha share of sequences that miss the truth at any time. Default 0.05
 */
export function createValueSequence(alpha = 0.05): ValueSequence {
  const need = Math.log(2 / alpha)
  const below = emptySide()
  const above = emptySide()
  let decisions = 0
  let total = 0

  return {
    note(outcome) {
      const y = pseudoOutcome(outcome)
      const { reward, expected } = outcome
      const mirrored = pseudoOutcome({ ...outcome, reward: 1 - reward, expected: expected?.map(value => 1 - value) })
      decisions++
      total += y
      add(below, y, decisions, need)
      add(above, mirrored, decisions, need)
    },
    now: () => ({
      value: decisions > 0 ? total / decisions : 0,
      low: Math.max(0, limitOf(below, need)),
      high: Math.min(1, 1 - limitOf(above, need)),
      decisions,
    }),
  }
}

/**
 * Returns the doubly robust pseudo-outcome of a decision: on average it is the policy's value, whatever is expected.
 *
 * @throws RangeError as `ValueSequence.note`
 */
export function pseudoOutcome({ reward, drawn, logged, target, expected }: LoggedOutcome): number {
  let onAverage = 0
  let weight = 0
  let shown = 0
  for (const [index, chance] of target.entries()) {
    if (chance > 0 && !(logged[index]! > 0))
      throw new RangeError(
        `candidate ${index} could not be drawn, and the policy would show it with a chance of ${chance}`,
      )
    const ratio = chance > 0 ? chance / logged[index]! : 0
    const value = ratio > 0 ? Math.min(expected?.[index] ?? 0, 1 / ratio) : 0
    onAverage += chance * value
    if (index === drawn) [weight, shown] = [ratio, value]
  }
  return weight * (reward - shown) + onAverage
}

function emptySide(): Side {
  return { weighted: 0, lambdas: 0, penalty: 0, sum: 0, squares: 0 }
}

/** Adds a pseudo-outcome y ≥ −1, halved so that it less its prediction, which is at most 1/2, is at least −1. */
function add(side: Side, y: number, place: number, need: number): void {
  const xi = y / 2
  const prediction = Math.min(0.5, Math.max(0, (0.25 + side.sum) / place))
  const variance = (0.0625 + side.squares) / place
  const lambda = Math.min(MOST, Math.sqrt((2 * need) / (variance * place * Math.log(place + 1))))
  side.weighted += lambda * xi
  side.lambdas += lambda
  side.penalty += (-Math.log(1 - lambda) - lambda) * (xi - prediction) ** 2
  side.sum += xi
  side.squares += (xi - prediction) ** 2
}

function limitOf({ weighted, lambdas, penalty }: Side, need: number): number {
  return lambdas === 0 ? 0 : (2 * (weighted - need - penalty)) / lambdas
}
