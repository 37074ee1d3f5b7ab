import type { CompiledSlot } from '../catalog/compile-slot.js'
import type { Refusal } from '../evaluate/refusal.js'
import { createValueSequence, type ValueSequence, type ValueSoFar } from '../experiments/sequences/doubly-robust.js'
import type { ReplayedDecision } from './compare-slots.js'
import { decideOtherwise } from './decide-otherwise.js'
import { type AlongSlot, followAlong } from './learn-along.js'
import { loggedOf, missingOf } from './recorded-chances.js'
import { createWeightTally, unknownChances, type WeightTally } from './weight-tally.js'

/** Standing of a candidate: better than what runs, worse, or neither yet; or its value cannot be known. */
export type Standing = 'better' | 'worse' | 'undecided' | 'unknown'

/**
 * A candidate's value at the first position so far, with an interval that holds at every look, for all candidates at
 * once.
 */
export interface CandidateStanding extends ValueSoFar {
  name: string
  standing: Standing
  /** The reason, in plain words. */
  reason: string
  /** Reason why its value cannot be relied on, with a remedy. Null: it can */
  refused: Refusal | null
  /** Effective sample size, and the largest weight of a decision. */
  ess: number
  maxWeight: number
}

/** Candidates and what runs, valued by the decisions that were made so far. */
export interface Standings {
  running: ValueSoFar
  /** Decisions that were left out for all. */
  leftOut: number
  /** The best first. */
  candidates: CandidateStanding[]
}

/** A tournament of candidates on the running log of a slot. */
export interface Tournament {
  /**
   * Takes part of the decisions in the order of time. Those whose draw is not whole, by campaigns, or whose rewards are
   * not 0 to 1, are left out for all.
   *
   * @param slots of each candidate: the slot as it would be; undefined: it has none
   */
  add(decision: ReplayedDecision, was: CompiledSlot, slots: readonly (CompiledSlot | undefined)[]): void
  standings(): Standings
}

interface Entrant {
  name: string
  sequence: ValueSequence
  weights: WeightTally
  along?: AlongSlot
  /** Reason why the log cannot value it. Once it cannot, it is not valued further. */
  unknown?: Refusal
}

const UNFITTED: Refusal = {
  code: 'unknown_chances',
  reason: 'matrices of items are not fitted while the product runs',
  cure: 'value it with npm run replay -- decisions --with, or compare it in an experiment',
}

/** Share of tournaments in which any interval misses the truth at any time. */
const ALPHA = 0.05

/**
 * Begins a tournament. Each interval is that of the anytime-valid doubly robust sequence with a part of α, so that all
 * hold together at every look: a candidate is better only where its lower end is above the upper end of what runs. What
 * is expected of a content is its mean so far.
 *
 * @param options `fitsItems`: whether matrices of items are fitted, which takes seconds. Default: yes
 */
export function createTournament(
  siteId: string,
  names: readonly string[],
  { fitsItems = true }: { fitsItems?: boolean } = {},
): Tournament {
  const alpha = ALPHA / (names.length + 1)
  const running = createValueSequence(alpha)
  const entrants = names.map(
    (name): Entrant => ({ name, sequence: createValueSequence(alpha), weights: createWeightTally() }),
  )
  const means = new Map<string, { shown: number; earned: number }>()
  let leftOut = 0
  return {
    add(decision, was, slots) {
      const { record, rewards } = decision
      const [shown] = record.contentIds
      const [reward = 0] = rewards
      const logged = loggedOf(record, was)
      if (shown === undefined || !logged || !(reward >= 0 && reward <= 1)) return void leftOut++
      const ids = logged.map(({ contentId }) => contentId)
      const outcome = {
        reward,
        drawn: ids.indexOf(shown),
        logged: logged.map(({ chance }) => chance),
        expected: ids.map(id => {
          const { shown: times, earned } = means.get(id) ?? { shown: 0, earned: 0 }
          return times > 0 ? earned / times : 0
        }),
      }
      running.note({ ...outcome, target: outcome.logged })
      for (const [place, entrant] of entrants.entries()) {
        if (entrant.unknown !== undefined) continue
        const slot = slots[place]
        if (slot?.needs.policy.items && !fitsItems) entrant.unknown = UNFITTED
        else note(siteId, entrant, decision, was, slot, ids, outcome)
      }
      const mean = means.get(shown) ?? { shown: 0, earned: 0 }
      means.set(shown, { shown: mean.shown + 1, earned: mean.earned + reward })
    },
    standings: () => standingsOf(running.now(), entrants, leftOut),
  }
}

function note(
  siteId: string,
  entrant: Entrant,
  { record, rewards }: ReplayedDecision,
  was: CompiledSlot,
  slot: CompiledSlot | undefined,
  ids: readonly string[],
  outcome: Omit<Parameters<ValueSequence['note']>[0], 'target'>,
): void {
  const missing = slot ? missingOf(record, slot) : 'its catalog has no such slot'
  if (!slot || missing !== undefined) {
    entrant.unknown = unknownChances(missing!)
    return
  }
  const now = Date.parse(record.timestamp)
  entrant.along ??= followAlong(slot, now)
  const other = decideOtherwise(siteId, record, was, slot, entrant.along.learnedAt(now))
  entrant.along.learn(record, rewards, was)
  const chances = new Map(other.chancesAt(0, []).map(({ contentId, chance }) => [contentId, chance]))
  const [unknown] = other.unknown
  const never = [...chances.keys()].find(id => !((outcome.logged[ids.indexOf(id)] ?? 0) > 0))
  if (unknown !== undefined) entrant.unknown = unknownChances(`whether ${unknown} could be shown is not recorded`)
  else if (never !== undefined) entrant.unknown = neverDrawn(never)
  else {
    const target = ids.map(id => chances.get(id) ?? 0)
    entrant.sequence.note({ ...outcome, target })
    const spread = target.reduce((sum, chance, at) => sum + (chance > 0 ? chance ** 2 / outcome.logged[at]! : 0), -1)
    entrant.weights.add(target[outcome.drawn]! / outcome.logged[outcome.drawn]!, Math.max(0, spread))
  }
}

function neverDrawn(contentId: string): Refusal {
  return {
    code: 'low_overlap',
    reason: `it would show ${contentId}, which could not be drawn`,
    cure: 'let some share of draws, such as exploration.atLeast 0.02, show that content, or leave it out of the candidate',
  }
}

function standingsOf(running: ValueSoFar, entrants: readonly Entrant[], leftOut: number): Standings {
  const candidates = entrants.map(({ name, sequence, weights, unknown }): CandidateStanding => {
    const now = { name, ...sequence.now(), ...weights.measures() }
    if (unknown) return { ...now, standing: 'unknown', reason: unknown.reason, refused: unknown }
    const refused = weights.refusal() ?? null
    if (refused) return { ...now, standing: 'undecided', reason: refused.reason, refused }
    if (now.low > running.high)
      return { ...now, standing: 'better', reason: 'its lower end is above the upper end of what runs', refused }
    if (now.high < running.low)
      return { ...now, standing: 'worse', reason: 'its upper end is below the lower end of what runs', refused }
    return { ...now, standing: 'undecided', reason: 'the intervals have values in common', refused }
  })
  return { running, leftOut, candidates: candidates.sort((a, b) => b.low - a.low || (a.name < b.name ? -1 : 1)) }
}
