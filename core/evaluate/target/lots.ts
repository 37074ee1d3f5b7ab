import { DEFAULT_EXPLORATION, type PolicySpec, type RecordedFacts } from '@slotstream/protocol'
import { needsOf } from '../../catalog/policy-needs.js'
import { chancesOf } from '../../draw/lottery.js'
import { PROBABILITY_SCALE } from '../../draw/probability.js'
import type { ItemModel } from '../../learning/items/item-model.js'
import type { SlotModel } from '../../learning/model/slot-model.js'
import type { EligibleContent, ItemPolicy, Proposal } from '../../policies/proposal.js'
import { propose } from '../../policies/propose.js'
import type { DecisionLog, LoggedSituation, Lot } from '../decision-log.js'
import type { ContentFactsById } from './content-facts.js'

/** The model of a policy at a time. */
export interface LearnedByThen {
  model?: SlotModel
  itemsOf?: (type: ItemPolicy) => ItemModel | undefined
}

/** Seeds by which the chances of a policy are averaged that samples its posterior anew for each decision. */
const SEEDS = 8

/**
 * Returns the chances with which a policy draws in each situation, by the lottery that the product draws by. Those of
 * an ensemble are the mean of its policies', by their shares: which of them a person gets depends on nothing else.
 *
 * @param policy undefined: the default policy
 */
export function lotsOf(
  policy: PolicySpec | undefined,
  log: DecisionLog,
  contents: ContentFactsById,
  learned: LearnedByThen = {},
): Lot[] {
  if (policy?.type === 'ensemble') {
    const total = policy.policies.reduce((sum, { share }) => sum + share, 0)
    const parts = policy.policies.map(arm => ({
      share: arm.share / total,
      lots: lotsOf(arm.policy, log, contents, learned),
    }))
    return log.situations.map((_, place) => mixed(parts.map(({ share, lots }) => ({ share, lot: lots[place]! }))))
  }
  const facts = log.ids.map((id): EligibleContent => contents.get(id) ?? { id, category: '' })
  const everything = [...log.ids.keys()]
  const isRead = needsOf(policy)
  const readsKnown = isRead.features || isRead.segments || isRead.items
  const proposalOf = (eligible: readonly number[], situation: LoggedSituation, seed: string): Proposal =>
    propose(policy, {
      siteId: '',
      slotId: '',
      eligible: eligible.map(action => facts[action]!),
      person: {
        personId: '',
        traits: {},
        features: {},
        segments: situation.known?.segments ?? [],
        affinities: situation.affinities ?? NO_INTERESTS,
        ...(situation.known?.tokens && { tokens: situation.known.tokens }),
        ...(situation.known?.items && { items: situation.known.items }),
      },
      context: {},
      model: learned.model,
      ...(learned.itemsOf && { itemsOf: learned.itemsOf }),
      count: log.positions,
      exploration: DEFAULT_EXPLORATION,
      seed,
    })
  const proposalsByFacts = new Map<unknown, Map<unknown, Map<unknown, Proposal[]>>>()
  /**
   * Returns the proposals of a situation. Equal facts are the same object in situations, so that a policy is asked once
   * for each.
   */
  const proposalsFor = (situation: LoggedSituation): Proposal[] => {
    const { eligible = everything } = situation
    const affinities = isRead.affinities ? (situation.affinities ?? NO_INTERESTS) : NO_INTERESTS
    const person: RecordedFacts = readsKnown ? (situation.known ?? NOTHING) : NOTHING
    const ofPerson = inMap(inMap(proposalsByFacts, eligible), affinities)
    const cached = ofPerson.get(person)
    if (cached) return cached
    const first = proposalOf(eligible, situation, '0')
    const count = first.lottery.rule === 'samples' ? SEEDS : 1
    const more = Array.from({ length: count - 1 }, (_, n) => proposalOf(eligible, situation, `${n + 1}`))
    const proposals = [first, ...more]
    ofPerson.set(person, proposals)
    return proposals
  }
  const first = new Map<Proposal[], Lot>()
  return log.situations.map(situation => {
    const proposals = proposalsFor(situation)
    const firstLot = situation.above.length === 0 ? first.get(proposals) : undefined
    if (firstLot) return firstLot
    const share = 1 / proposals.length
    const lots = proposals.map(proposal => lotOf(proposal, situation, everything))
    const lot = lots.length === 1 ? lots[0]! : mixed(lots.map(each => ({ share, lot: each })))
    if (situation.above.length === 0) first.set(proposals, lot)
    return lot
  })
}

const NO_INTERESTS = {}
const NOTHING: RecordedFacts = {}

function inMap<Value extends Map<unknown, unknown>>(map: Map<unknown, Value>, key: unknown): Value {
  const inner = map.get(key) ?? (new Map() as Value)
  map.set(key, inner)
  return inner
}

/** Returns the chances of one position, given the contents shown above. */
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

/** Mixes the chances of several lots by their shares. */
function mixed(parts: readonly { share: number; lot: Lot }[]): Lot {
  const sums = new Map<number, number>()
  for (const { share, lot } of parts)
    for (let place = 0; place < lot.actions.length; place++) {
      const action = lot.actions[place]!
      sums.set(action, (sums.get(action) ?? 0) + share * lot.chances[place]!)
    }
  const actions = [...sums.keys()].sort((a, b) => a - b)
  return { actions: Uint32Array.from(actions), chances: Float64Array.from(actions, action => sums.get(action)!) }
}
