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
  const eligible: number[] = []
  const reasons = slot.contents.map((content, place) => {
    const reason = reasonOf(content, facts, taken)
    if (reason === undefined) eligible.push(place)
    return reason
  })
  return { eligible, reasons }
}

function reasonOf(
  { content, startsAt, endsAt, isOutOfStock, where, caps }: CompiledContent,
  facts: EligibilityFacts,
  taken: ReadonlySet<string>,
): ExclusionReason | undefined {
  const { now, answers, stopped } = facts
  const { id } = content
  // A time that is none was refused when it was stored; where it was not, the content is not shown.
  if (!(now >= startsAt)) return 'not_started'
  if (!(now < endsAt)) return 'ended'
  if (isOutOfStock) return 'out_of_stock'
  if (where === undefined) return 'broken_condition'
  if (where.length > 0 && answers.firstMiss(where) !== undefined) return 'condition'
  if (stopped.size > 0 && stopped.has(id)) return 'stopped'
  if (caps.length > 0 && reachedCap({ content, caps }, facts)) return 'capped'
  return taken.has(id) ? 'repeated' : undefined
}

/** Describes in plain words why a content may not be shown, where the reason alone does not say it. */
export function detailOf(
  { content, where, caps }: CompiledContent,
  reason: ExclusionReason,
  facts: EligibilityFacts,
): string | undefined {
  if (reason === 'condition') {
    const missed = facts.answers.firstMiss(where ?? [])
    return missed === undefined ? undefined : facts.answers.describe(missed)
  }
  const reached = reason === 'capped' ? reachedCap({ content, caps }, facts) : undefined
  return reached && `${reached.times} of ${reached.count} per ${reached.per}`
}

function reachedCap({ content, caps }: Pick<CompiledContent, 'content' | 'caps'>, facts: EligibilityFacts) {
  const showings = facts.showings().get(content.id)
  for (const { count, per } of caps) {
    const times = timesShown(showings, per, facts)
    if (times >= count) return { times, count, per }
  }
  return undefined
}
