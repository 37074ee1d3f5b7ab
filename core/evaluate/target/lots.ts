import { DEFAULT_EXPLORATION, type PolicySpec } from '@slotstream/protocol'
import { chancesOf } from '../../draw/lottery.js'
import { PROBABILITY_SCALE } from '../../draw/probability.js'
import type { SlotModel } from '../../learning/model/slot-model.js'
import type { EligibleContent, Proposal } from '../../policies/proposal.js'
import { propose } from '../../policies/propose.js'
import type { DecisionLog, LoggedSituation, Lot } from '../decision-log.js'
import type { ContentFactsById } from './content-facts.js'

/** Returns the chances with which a policy draws in each situation, by the lottery that the product draws by. */
export function lotsOf(
  policy: PolicySpec,
  log: DecisionLog,
  contents: ContentFactsById,
  model?: SlotModel | undefined,
): Lot[] {
  const facts = log.ids.map((id): EligibleContent => contents.get(id) ?? { id, category: '' })
  const everything = [...log.ids.keys()]
  const proposals = new Map<unknown, Map<unknown, Proposal>>()
  /** Equal facts are the same object in situations, so that a policy is asked once for each. */
  const proposalFor = ({ eligible = everything, affinities = NO_INTERESTS }: LoggedSituation): Proposal => {
    const byInterests = proposals.get(eligible) ?? new Map<unknown, Proposal>()
    proposals.set(eligible, byInterests)
    const known = byInterests.get(affinities)
    if (known) return known
    const proposal = propose(policy, {
      siteId: '',
      slotId: '',
      eligible: eligible.map(action => facts[action]!),
      person: { personId: '', traits: {}, segments: [], features: {}, affinities },
      context: {},
      model,
      count: 1,
      exploration: DEFAULT_EXPLORATION,
      seed: '',
    })
    byInterests.set(affinities, proposal)
    return proposal
  }
  const first = new Map<Proposal, Lot>()
  return log.situations.map(situation => {
    const proposal = proposalFor(situation)
    const known = situation.above.length === 0 ? first.get(proposal) : undefined
    if (known) return known
    const lot = lotOf(proposal, situation, everything)
    if (situation.above.length === 0) first.set(proposal, lot)
    return lot
  })
}

const NO_INTERESTS = {}

/** The chances of one position, given what is shown above. */
function lotOf({ candidates, lottery }: Proposal, { eligible, above }: LoggedSituation, everything: number[]): Lot {
  const actions = candidates.map(place => (eligible ?? everything)[place]!)
  const rest = [...actions.keys()].filter(index => !above.includes(actions[index]!))
  if (rest.length === 0) return { actions: [], chances: [] }
  const chances = chancesOf(lottery, rest)
  const possible = rest.flatMap((index, place) => (chances[place]! > 0 ? [{ index, units: chances[place]! }] : []))
  return {
    actions: Uint32Array.from(possible, ({ index }) => actions[index]!),
    chances: Float64Array.from(possible, ({ units }) => units / PROBABILITY_SCALE),
  }
}
