import type { CompiledSlot } from '../catalog/compile-slot.js'
import { createValueSequence, type ValueSequence, type ValueSoFar } from '../experiments/sequences/doubly-robust.js'
import type { ReplayedDecision } from './compare-slots.js'
import { decideOtherwise } from './decide-otherwise.js'
import { type LearningAlong, learnAlong } from './learn-along.js'
import { loggedOf, missingOf } from './recorded-chances.js'

/** How a candidate stands: better than what runs, worse, or neither yet; or its value cannot be known. */
export type Standing = 'better' | 'worse' | 'undecided' | 'unknown'

/** A candidate's value at the first position so far, with an interval that holds at every look, for all candidates at once. */
export interface CandidateStanding extends ValueSoFar {
  name: string
  standing: Standing
  /** Why, in plain words. */
  reason: string
}

/** Candidates and what runs, valued by the decisions that were made so far. */
export interface Standings {
  running: ValueSoFar
  /** The best first. */
  candidates: CandidateStanding[]
}

/** A tournament of candidates on the running log of a slot. */
export interface Tournament {
  /**
   * Takes part of the decisions in the order of time. Those whose draw is not whole, by campaigns, or whose rewards are not 0 to 1,
   * are left out for all.
   *
   * @param slots of each candidate: the slot as it would be; undefined: it has none
   */
  add(decision: ReplayedDecision, was: CompiledSlot, slots: readonly (CompiledSlot | undefined)[]): void
  standings(): Standings
}

interface Entrant {
  name: string
  sequence: ValueSequence
  learning?: LearningAlong
  unknown?: string
}

/** Share of tournaments in which any interval misses the truth at any time. */
const ALPHA = 0.05

/**
 * Begins a tournament. Each interval is that of the anytime-valid doubly robust sequence with a part of α, so that all hold together
 * at every look: a candidate is better only where its lower end is above the upper end of what runs. What is expected of a content
 * is its mean so far.
 */
export function createTournament(siteId: string, names: readonly string[]): Tournament {
  const alpha = ALPHA / (names.length + 1)
  const running = createValueSequence(alpha)
  const entrants = names.map((name): Entrant => ({ name, sequence: createValueSequence(alpha) }))
  const means = new Map<string, { shown: number; earned: number }>()
  return {
    add(decision, was, slots) {
      const { record, rewards } = decision
      const [shown] = record.contentIds
      const [reward = 0] = rewards
      const logged = loggedOf(record, was)
      if (shown === undefined || !logged || !(reward >= 0 && reward <= 1)) return
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
        if (entrant.unknown === undefined) note(entrant, decision, was, slots[place], ids, outcome)
      }
      const mean = means.get(shown) ?? { shown: 0, earned: 0 }
      means.set(shown, { shown: mean.shown + 1, earned: mean.earned + reward })
    },
    standings: () => standingsOf(running.now(), entrants),
  }

  function note(
    entrant: Entrant,
    { record, rewards }: ReplayedDecision,
    was: CompiledSlot,
    slot: CompiledSlot | undefined,
    ids: readonly string[],
    outcome: Omit<Parameters<ValueSequence['note']>[0], 'target'>,
  ): void {
    entrant.unknown = slot ? missingOf(record, slot) : 'its catalog has no such slot'
    if (!slot || entrant.unknown !== undefined) return
    const now = Date.parse(record.timestamp)
    if (slot.needs.policy.sums) entrant.learning ??= learnAlong(slot, now)
    const other = decideOtherwise(siteId, record, was, slot, entrant.learning?.modelAt(now))
    entrant.learning?.learn(record, rewards, was)
    const chances = new Map(other.chancesAt(0, []).map(({ contentId, chance }) => [contentId, chance]))
    const never = [...chances.keys()].find(id => !ids.includes(id))
    if (other.unknown.length > 0) entrant.unknown = `whether ${other.unknown[0]} could be shown is not recorded`
    else if (never !== undefined) entrant.unknown = `it would show ${never}, which could not be drawn`
    else entrant.unknown = noted(entrant, { ...outcome, target: ids.map(id => chances.get(id) ?? 0) })
  }
}

function noted({ sequence }: Entrant, outcome: Parameters<ValueSequence['note']>[0]): string | undefined {
  try {
    sequence.note(outcome)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function standingsOf(running: ValueSoFar, entrants: readonly Entrant[]): Standings {
  const candidates = entrants.map(({ name, sequence, unknown }): CandidateStanding => {
    const now = sequence.now()
    if (unknown !== undefined) return { name, ...now, standing: 'unknown', reason: unknown }
    if (now.low > running.high)
      return { name, ...now, standing: 'better', reason: 'its lower end is above the upper end of what runs' }
    if (now.high < running.low)
      return { name, ...now, standing: 'worse', reason: 'its upper end is below the lower end of what runs' }
    return { name, ...now, standing: 'undecided', reason: 'the intervals have values in common' }
  })
  return { running, candidates: candidates.sort((a, b) => b.low - a.low || (a.name < b.name ? -1 : 1)) }
}
