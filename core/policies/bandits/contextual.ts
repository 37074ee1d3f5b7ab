import { createWorkspace } from '../../algebra/workspace.js'
import { crossFacts } from '../../learning/features/cross.js'
import { facetTableOf } from '../../learning/features/facet-table.js'
import { columnsOf } from '../../learning/model/content-columns.js'
import type { LinearModel } from '../../learning/model/linear-model.js'
import { predict } from '../../learning/model/predict.js'
import type { SlotModel } from '../../learning/model/slot-model.js'
import { amongAll, type Proposal, type ProposalInput, type Propose, placesTo } from '../proposal.js'
import { posteriorLottery } from './by-posterior.js'

/** Views that are added to those of a content in its own uncertainty: new content is more uncertain, and so tried. */
const PRIOR_VIEWS = 4

/** Standard deviation of predictions before anything has been learned. */
const UNKNOWN = 0.3

/**
 * Factor by which the posterior's deviation is narrowed. Contents of one category share most of their uncertainty, but
 * the quadrature assumes independence, which overstates how good the best may be (chosen by bench/regret).
 */
const NARROWED = 0.35

/** Growth of γ in inverse-gap weighting with the outcomes that were learned from (Foster and Rakhlin 2020). */
const GAMMA = 4

/** Ways to draw by predictions, see docs/policies.md. */
export type ContextualDraw = 'quadrature' | 'gaps' | 'samples'

/**
 * Draws each content by its probability to be the best for this person and request, by a linear model of crossed
 * features.
 */
export const proposeByContext: Propose<{ type: 'contextual'; draw?: ContextualDraw }> = ({ draw }, input) =>
  proposeByPrediction(input, draw ?? 'quadrature', () => 0)

/**
 * Proposes by the predictions of the linear model.
 *
 * @param bonus returns what is added to the prediction of a content, by its index in `eligible`
 */
export function proposeByPrediction(
  input: ProposalInput,
  draw: ContextualDraw,
  bonus: (index: number) => number,
): Proposal {
  const { eligible, model, count, exploration, seed } = input
  const linear = model?.linear
  const { means, deviations } = linear ? predictionsOf(linear, model.contents, input) : unknownOf(eligible.length)
  const scores = new Array<number>(eligible.length)
  for (let index = 0; index < scores.length; index++) scores[index] = means[index]! + bonus(index)
  const candidates = placesTo(eligible.length)
  if (draw === 'gaps') {
    const gamma = linear ? GAMMA * Math.sqrt((eligible.length * linear.outcomes) / Math.max(linear.noise, 1e-4)) : 0
    // Rounded, because the record has these numbers, and the draw must be repeatable from it.
    const rounded = scores.map(score => Math.round(score * 1e6) / 1e6)
    return { candidates, scores, lottery: { rule: 'gaps', exploration, scores: rounded, gamma } }
  }
  const samples = draw === 'samples' || count > 1
  return { candidates, scores, lottery: posteriorLottery(scores, deviations, { count, exploration, seed, samples }) }
}

const workspace = createWorkspace()

function predictionsOf(linear: LinearModel, contents: SlotModel['contents'], input: ProposalInput) {
  const { person, context, crossed } = input
  const facts = crossed ? crossed() : crossFacts({ ...person, context })
  const { all, places } = amongAll(input)
  const { means, variances } = predict(linear, facts, facetTableOf(all), places)
  const { views } = columnsOf(contents, all)
  const deviations = workspace(places.length)
  for (let index = 0; index < deviations.length; index++)
    deviations[index] = NARROWED * Math.sqrt(variances[index]! + linear.noise / (views[places[index]!]! + PRIOR_VIEWS))
  return { means, deviations }
}

function unknownOf(length: number) {
  return { means: new Float64Array(length), deviations: new Float64Array(length).fill(UNKNOWN) }
}
