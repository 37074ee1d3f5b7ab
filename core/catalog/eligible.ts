import type { ExclusionReason } from '@slotstream/protocol'
import { type Showing, timesShown } from './caps.js'
import type { ClauseAnswers } from './clauses.js'
import type { CompiledContent, CompiledSlot } from './compile-slot.js'

/** What of a person and a request decides which content may be shown. */
export interface EligibilityFacts {
  /** Milliseconds since the epoch. */
  now: number
  /** Session of the request; '' where it names none. */
  sessionId: string
  answers: ClauseAnswers
  /** Returns when each content was shown to the person. Asked only where content has caps. */
  showings: () => ReadonlyMap<string, readonly Showing[]>
  /** Content that the person is not shown again. */
  stopped: ReadonlySet<string>
}

/** Which content of a slot may be shown. */
export interface Eligibility {
  /** Places among the slot's contents, in their order. */
  eligible: number[]
  /** Of each content: why it may not be shown; undefined where it may. */
  reasons: (ExclusionReason | undefined)[]
}

/**
 * Sorts out what may not be shown. To be asked last, after every cache: what has ended must not come back from one.
 *
 * @param taken content that earlier slots of the same request show
 */
export function eligibleOf(slot: CompiledSlot, facts: EligibilityFacts, taken: ReadonlySet<string>): Eligibility {
  const { contents, conditions } = slot
  const { now, answers, stopped } = facts
  const showings = slot.needs.caps ? facts.showings() : NONE
  const misses = conditions.map(numbers => answers.firstMiss(numbers) !== undefined)
  const eligible: number[] = []
  const reasons = new Array<ExclusionReason | undefined>(contents.length).fill(undefined)
  for (let place = 0; place < contents.length; place++) {
    const content = contents[place]!
    const { id, startsAt, endsAt, condition } = content
    // A time that is none was refused when it was stored; where it was not, the content is not shown.
    if (!(now >= startsAt)) reasons[place] = 'not_started'
    else if (!(now < endsAt)) reasons[place] = 'ended'
    else if (content.isOutOfStock) reasons[place] = 'out_of_stock'
    else if (condition === undefined) reasons[place] = 'broken_condition'
    else if (misses[condition]) reasons[place] = 'condition'
    else if (stopped.size > 0 && stopped.has(id)) reasons[place] = 'stopped'
    else if (content.caps.length > 0 && reachedCap(content, showings.get(id), facts)) reasons[place] = 'capped'
    else if (taken.size > 0 && taken.has(id)) reasons[place] = 'repeated'
    else eligible.push(place)
  }
  return { eligible, reasons }
}

const NONE: ReadonlyMap<string, readonly Showing[]> = new Map()

/** Describes in plain words why a content may not be shown, where the reason alone does not say it. */
export function detailOf(
  slot: CompiledSlot,
  place: number,
  reason: ExclusionReason,
  facts: EligibilityFacts,
): string | undefined {
  const content = slot.contents[place]!
  if (reason === 'condition' && content.condition !== undefined) {
    const missed = facts.answers.firstMiss(slot.conditions[content.condition]!)
    return missed === undefined ? undefined : facts.answers.describe(missed)
  }
  const reached = reason === 'capped' ? reachedCap(content, facts.showings().get(content.id), facts) : undefined
  return reached && `${reached.times} of ${reached.count} per ${reached.per}`
}

function reachedCap({ caps }: CompiledContent, showings: readonly Showing[] | undefined, facts: EligibilityFacts) {
  for (const { count, per } of caps) {
    const times = showings ? timesShown(showings, per, facts) : 0
    if (times >= count) return { times, count, per }
  }
  return undefined
}
