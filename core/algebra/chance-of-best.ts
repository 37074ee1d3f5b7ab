import { allBelow, normalBelow } from './normal.js'
import { createWorkspace } from './workspace.js'

/** Standard deviations from its mean beyond which a value is not looked for: 1e-12 of the mass. */
const REACH = 7
/** Nodes per smallest standard deviation: the trapezoidal rule errs by about exp(−2π² × 1.7²), which is nothing. */
const NODES_PER_DEVIATION = 1.7
/** Beyond so many nodes, differences of the distribution are summed instead, which errs by about a node's share. */
const MAX_NODES = 256

/**
 * Returns, for each of several independent normal numbers, the probability that it is the largest, by quadrature of
 * ∫ φᵢ(t) ∏ⱼ≠ᵢ Φⱼ(t) dt. Sums to 1.
 *
 * @param deviations above 0
 */
export function chanceOfBest(means: ArrayLike<number>, deviations: ArrayLike<number>): Float64Array {
  const count = means.length
  const chances = new Float64Array(count)
  let from = Number.NEGATIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  let smallest = Number.POSITIVE_INFINITY
  for (let i = 0; i < count; i++) {
    from = Math.max(from, means[i]! - REACH * deviations[i]!)
    to = Math.max(to, means[i]! + REACH * deviations[i]!)
    smallest = Math.min(smallest, deviations[i]!)
  }
  const neededNodes = Math.ceil(((to - from) / smallest) * NODES_PER_DEVIATION)
  const nodes = Math.max(2, Math.min(neededNodes, MAX_NODES))
  const step = (to - from) / nodes
  if (neededNodes <= MAX_NODES) addDensities(chances, means, deviations, from, step, nodes)
  else addDifferences(chances, means, deviations, from, step, nodes)
  let sum = 0
  for (let i = 0; i < count; i++) sum += chances[i]!
  for (let i = 0; i < count; i++) chances[i] = chances[i]! / sum
  return chances
}

const belowSpace = createWorkspace()
const precisionSpace = createWorkspace()
const densitySpace = createWorkspace()

/** Integrates by the trapezoidal rule: exact to rounding where the steps are smaller than the smallest deviation. */
function addDensities(
  chances: Float64Array,
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  from: number,
  step: number,
  nodes: number,
): void {
  const count = means.length
  const below = belowSpace(count)
  const densities = densitySpace(count)
  const centres = means instanceof Float64Array ? means : Float64Array.from(means)
  const precisions = precisionSpace(count)
  for (let i = 0; i < count; i++) precisions[i] = 1 / deviations[i]!
  for (let node = 0; node <= nodes; node++) {
    const all = allBelow(from + node * step, centres, precisions, below, densities)
    if (all === 0) continue
    for (let i = 0; i < count; i++) chances[i] = chances[i]! + densities[i]! * precisions[i]! * (all / below[i]!)
  }
}

const belowSpaces = [createWorkspace(), createWorkspace()]
const othersSpaces = [createWorkspace(), createWorkspace()]

/** Sums, over the steps, a number's probability to be within the step times that of all others to be below it. */
function addDifferences(
  chances: Float64Array,
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  from: number,
  step: number,
  nodes: number,
): void {
  const count = means.length
  // Of this node and of the one before, in turns.
  const belows = belowSpaces.map(space => space(count))
  const allOthers = othersSpaces.map(space => space(count))
  for (let node = 0; node <= nodes; node++) {
    const t = from + node * step
    const turn = node % 2
    const [below, before] = [belows[turn]!, belows[1 - turn]!]
    const [others, othersBefore] = [allOthers[turn]!, allOthers[1 - turn]!]
    let all = 1
    for (let i = 0; i < count; i++) {
      below[i] = normalBelow((t - means[i]!) / deviations[i]!)
      all *= below[i]!
    }
    for (let i = 0; i < count; i++) others[i] = below[i]! > 0 ? all / below[i]! : 0
    if (node > 0)
      for (let i = 0; i < count; i++)
        chances[i] = chances[i]! + (below[i]! - before[i]!) * 0.5 * (others[i]! + othersBefore[i]!)
  }
}
