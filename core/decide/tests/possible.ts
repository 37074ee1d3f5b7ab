import type { PolicySpec } from '@slotstream/protocol'
import type { CompiledSlot } from '../../catalog/compile-slot.js'
import { needsOf } from '../../catalog/policy-needs.js'
import { unpackLottery } from '../../draw/pack-lottery.js'
import { type Decided, decide, type Question } from '../decide.js'
import type { Stage } from '../stages.js'

/** All that a slot can show a person, whatever is drawn and whatever policies have learned by then. */
export interface Possible {
  outcome: Decided['choice']['outcome']
  /** Ids of content that can be shown. */
  possible: ReadonlySet<string>
  /** Ids of content that is shown in any case. */
  certain: ReadonlySet<string>
  /** One decision, to explain what cannot be shown. */
  decided: Decided
}

/**
 * Works out what a slot can show. Nothing is sampled: it follows from which candidates have a chance. With a policy
 * that learns, every candidate has one; an ensemble may follow any of its policies.
 */
export function possibleOf(question: Question): Possible {
  const arms = armsOf(question.slot.slot.policy)
  const all = arms.map(policy => {
    const slot: CompiledSlot = { ...question.slot, slot: { ...question.slot.slot, policy } as CompiledSlot['slot'] }
    return { policy, decided: decide({ ...question, slot }) }
  })
  const possible = new Set<string>()
  let certain: Set<string> | undefined
  for (const { policy, decided } of all) {
    const needs = needsOf(policy)
    const shown = shownOf(decided, needs.sums || needs.items)
    const ids = (places: Iterable<number>) => [...places].map(place => question.slot.contents[place]!.content.id)
    for (const id of ids(shown.possible)) possible.add(id)
    const ofArm = new Set(ids(shown.certain))
    certain = certain ? new Set([...certain].filter(id => ofArm.has(id))) : ofArm
  }
  const { decided } = all[0]!
  return { outcome: decided.choice.outcome, possible, certain: certain ?? new Set(), decided }
}

/** Returns the policies that an ensemble may follow, of any depth; any other policy alone. */
function armsOf(policy: PolicySpec | undefined): (PolicySpec | undefined)[] {
  return policy?.type === 'ensemble' ? policy.policies.flatMap(entry => armsOf(entry.policy)) : [policy]
}

function shownOf({ choice, stages }: Decided, learns: boolean): { possible: Set<number>; certain: Set<number> } {
  const possible = new Set<number>()
  const certain = new Set<number>()
  // For visitors who are held out something is drawn, but not shown.
  if (choice.holdout) return { possible, certain }
  // A stage that leaves positions open has shown all of its candidates, so that it is clear what is left to the next.
  let open = stages.reduce((sum, { drawn }) => sum + drawn.length, 0)
  for (const stage of stages) {
    const chanceOf = chancesIn(stage, open, learns)
    for (const [index, place] of stage.candidates.entries()) {
      const chance = chanceOf(index)
      if (chance !== 'none') possible.add(place)
      if (chance === 'certain') certain.add(place)
    }
    open -= stage.drawn.length
  }
  return { possible, certain }
}

type Chance = 'none' | 'possible' | 'certain'

/** Returns a function of an index of a stage's candidates: whether that candidate can be, or must be, drawn. */
function chancesIn({ candidates, recorded }: Stage, open: number, learns: boolean): (index: number) => Chance {
  const count = candidates.length
  if (open === 0) return () => 'none'
  if (recorded.lottery === undefined) return index => (index < open ? 'certain' : 'none')
  if (count <= open) return () => 'certain'
  const lottery = unpackLottery(recorded.lottery, count)
  if (learns || lottery.exploration > 0 || lottery.rule === 'gaps' || lottery.rule === 'samples')
    return () => 'possible'
  const values =
    lottery.rule === 'ranked' ? lottery.ranks.map(rank => -rank) : lottery.shares.map(share => Number(share > 0))
  const places = placesOf(values)
  return index => {
    const { better, atLeastAsGood } = places.get(values[index]!)!
    if (better >= open) return 'none'
    return atLeastAsGood <= open ? 'certain' : 'possible'
  }
}

/** Counts for each value how many are greater, and how many at least as great. Sorts once: there may be thousands. */
function placesOf(values: readonly number[]): Map<number, { better: number; atLeastAsGood: number }> {
  const places = new Map<number, { better: number; atLeastAsGood: number }>()
  for (const [index, value] of values.toSorted((a, b) => b - a).entries()) {
    const existing = places.get(value)
    if (existing) existing.atLeastAsGood = index + 1
    else places.set(value, { better: index, atLeastAsGood: index + 1 })
  }
  return places
}
