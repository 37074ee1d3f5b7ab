import { DEFAULT_EXPLORATION, type RecordedStage } from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { drawSlate } from '../draw/draw-slate.js'
import { chancesOf } from '../draw/lottery.js'
import { packLottery, packPlaces } from '../draw/pack-lottery.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import type { EligibleContent, ProposalInput } from '../policies/proposal.js'
import { propose } from '../policies/propose.js'
import { seededRandom } from './random.js'

/** One step of a choice: the candidates of a campaign, or those left to the policy, and what was drawn of them. */
export interface Stage {
  /** Id of the campaign. Absent: the policy chose among all that was left */
  campaign?: string
  /** Places of the candidates in `CompiledSlot.contents`. */
  candidates: number[]
  /** For each candidate: the policy's score. */
  scores: number[]
  /** For each candidate: its chance for the stage's first position, in units of `PROBABILITY_SCALE`. */
  probabilities: number[]
  /** Indices into `candidates`, in the order of positions. */
  drawn: number[]
  /** For each of `drawn`: its chance for its position, given those before it, in units of `PROBABILITY_SCALE`. */
  propensities: number[]
  /** Whether something was drawn although something else was more likely. */
  explored: boolean
  /** Of an ensemble: numbers of the policies that were followed, the outermost first. */
  arms?: number[]
  /** The stage as the record has it. */
  recorded: RecordedStage
}

/** Input of a policy's proposal beside the content. */
export type ProposalFacts = Omit<ProposalInput, 'siteId' | 'slotId' | 'eligible' | 'among' | 'count' | 'exploration'> &
  Pick<ProposalInput, 'siteId'>

/**
 * Chooses in stages: campaigns that pin, then campaigns that boost, each until its content is used up, then the policy
 * among all that is left. All stages draw from one sequence of random numbers.
 *
 * @param eligible places of content that may be shown, ascending
 * @param count number of positions; 0: nothing is drawn, but the candidates' probabilities are computed
 * @param holds returns whether a campaign's condition holds, by its clauses; for a content if it reads features of it
 */
export function chooseInStages(
  slot: CompiledSlot,
  eligible: readonly number[],
  count: number,
  facts: ProposalFacts,
  holds: (where: readonly number[], contentId?: string) => boolean,
): Stage[] {
  const random = seededRandom(facts.seed)
  const stages: Stage[] = []
  let rest = eligible
  let open = count
  for (const { id, mode, where, asksContent, contents } of slot.campaigns) {
    if (stages.length > 0 && open === 0) break
    if (!asksContent && !holds(where)) continue
    const left = new Set(rest)
    const isMeant = (place: number) => !asksContent || holds(where, slot.contents[place]!.id)
    const campaignPlaces = contents.filter(place => left.has(place) && isMeant(place))
    if (campaignPlaces.length === 0) continue
    const stage = mode === 'pin' ? pinned(campaignPlaces, open) : drawn(slot, campaignPlaces, open, facts, random)
    if (stage.candidates.length === 0) continue
    stage.campaign = id
    stage.recorded = { campaign: id, ...stage.recorded, contents: packPlaces(stage.candidates) }
    // The record also needs content that met the condition, but that the policy did not take as a candidate.
    if (asksContent && stage.candidates.length < campaignPlaces.length) stage.recorded.met = packPlaces(campaignPlaces)
    add(stage)
  }
  if (open > 0 || stages.length === 0) add(drawn(slot, rest, open, facts, random))
  return stages

  function add(stage: Stage): void {
    stages.push(stage)
    open -= stage.drawn.length
    if (open === 0 || stage.drawn.length === 0) return
    const shown = new Set(stage.drawn.map(index => stage.candidates[index]!))
    rest = rest.filter(place => !shown.has(place))
  }
}

/**
 * Returns the share of draws that all candidates win alike: at least `atLeast` of the slot, and so much that no
 * candidate has a smaller chance than `neverBelow`.
 */
function explorationOf({ exploration }: CompiledSlot['slot'], candidates: number): number {
  const { atLeast = DEFAULT_EXPLORATION, neverBelow = 0 } = exploration ?? {}
  return Math.min(1, Math.max(atLeast, neverBelow * candidates))
}

function pinned(candidates: number[], count: number): Stage {
  const chosen = [...candidates.keys()].slice(0, count)
  return {
    candidates,
    scores: candidates.map(() => 0),
    probabilities: candidates.map((_, index) => (index === 0 ? PROBABILITY_SCALE : 0)),
    drawn: chosen,
    propensities: chosen.map(() => PROBABILITY_SCALE),
    explored: false,
    recorded: { of: candidates.length, drawn: chosen },
  }
}

function drawn(
  { slot, facts: all }: CompiledSlot,
  among: readonly number[],
  count: number,
  facts: ProposalFacts,
  random: () => number,
): Stage {
  const proposal = propose(slot.policy, {
    slotId: slot.id,
    eligible: factsAt(all, among),
    among: { all, places: among },
    count: Math.max(1, Math.min(count, among.length)),
    exploration: explorationOf(slot, among.length),
    // Last: the engine takes ten times as long for an object that begins with a spread.
    ...facts,
  })
  const { lottery, scores, arms } = proposal
  const candidates = placesAt(among, proposal.candidates)
  const candidateCount = candidates.length
  const slate = drawSlate(lottery, candidateCount, count, random)
  if (count === 0 && candidateCount > 0) slate.probabilities = chancesOf(lottery, [...candidates.keys()])
  const isAll = candidateCount === among.length && isSame(candidates, among)
  const { drawn, propensities, probabilities, explored } = slate
  const recorded: RecordedStage = {
    of: candidateCount,
    ...(!isAll && { contents: packPlaces(candidates) }),
    lottery: packLottery(lottery),
    drawn,
  }
  const stage: Stage = { drawn, propensities, probabilities, explored, candidates, scores, recorded }
  if (arms) stage.arms = arms
  return stage
}

function factsAt(all: readonly EligibleContent[], places: readonly number[]): EligibleContent[] {
  const facts = new Array<EligibleContent>(places.length)
  for (let at = 0; at < facts.length; at++) facts[at] = all[places[at]!]!
  return facts
}

function placesAt(among: readonly number[], indices: readonly number[]): number[] {
  const places = new Array<number>(indices.length)
  for (let at = 0; at < places.length; at++) places[at] = among[indices[at]!]!
  return places
}

/** Tells whether two lists of the same length are equal. */
function isSame(a: readonly number[], b: readonly number[]): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
