import type { ExclusionReason } from '@slotstream/protocol'
import { type Showing, timesShown } from './caps.js'
import type { ClauseAnswers } from './clauses.js'
import type { CompiledContent, CompiledSlot } from './compile-slot.js'
import { codeOf, ELIGIBLE, type Reasons } from './reasons.js'

/** Facts about a person and a request that decide which content may be shown. */
export interface EligibilityFacts {
  /** Milliseconds since the epoch. */
  now: number
  /** Session of the request; '' where it names none. */
  sessionId: string
  /** Values of the conditions' clauses. */
  answers: ClauseAnswers
  /** Returns when each content was shown to the person, by id. Called only where content has caps. */
  showings: () => ReadonlyMap<string, readonly Showing[]>
  /** Ids of content that an event stopped for the person (`stopAfter`). */
  stopped: ReadonlySet<string>
}

/** The content of a slot that may be shown, and why the rest may not. */
export interface Eligibility {
  /** Places in the slot's contents, ascending. */
  eligible: number[]
  reasons: Reasons
}

const NOT_STARTED = codeOf('not_started')
const ENDED = codeOf('ended')
const OUT_OF_STOCK = codeOf('out_of_stock')
const BROKEN_CONDITION = codeOf('broken_condition')
const CONDITION = codeOf('condition')
const STOPPED = codeOf('stopped')
const CAPPED = codeOf('capped')
const REPEATED = codeOf('repeated')

/**
 * Returns which content may be shown. Must be called after every cache: content that has ended must not come back from
 * one.
 *
 * @param shownBefore ids of content that earlier slots of the same request show
 */
export function eligibleOf(slot: CompiledSlot, facts: EligibilityFacts, shownBefore: ReadonlySet<string>): Eligibility {
  const { now, answers } = facts
  const { startsAt, endsAt, condition, isOutOfStock } = slot.columns
  const { contents, conditions, asksContent } = slot
  const misses = new Uint8Array(conditions.length)
  for (let n = 0; n < misses.length; n++)
    misses[n] = asksContent[n] ? ASKED_OF_EACH : answers.firstMiss(conditions[n]!) === undefined ? 0 : 1
  const isMissed = (place: number) => {
    const missed = misses[condition[place]!]!
    if (missed !== ASKED_OF_EACH) return missed === 1
    return answers.firstMiss(conditions[condition[place]!]!, contents[place]!.id) !== undefined
  }
  const eligible: number[] = []
  const reasons = heldBack(slot, facts, shownBefore)
  for (let place = 0; place < reasons.length; place++) {
    // Invalid times are rejected when content is stored. Should one be here (NaN), the content is not shown.
    if (!(now >= startsAt[place]!)) reasons[place] = NOT_STARTED
    else if (!(now < endsAt[place]!)) reasons[place] = ENDED
    else if (isOutOfStock[place]) reasons[place] = OUT_OF_STOCK
    else if (condition[place]! < 0) reasons[place] = BROKEN_CONDITION
    else if (isMissed(place)) reasons[place] = CONDITION
    else if (reasons[place] === ELIGIBLE) eligible.push(place)
  }
  return { eligible, reasons }
}

/**
 * Marks content that this person is not shown again. Goes through what the person was shown, which is less than what
 * the slot has.
 */
function heldBack(slot: CompiledSlot, facts: EligibilityFacts, shownBefore: ReadonlySet<string>): Reasons {
  const { contents, places } = slot
  const reasons = new Uint8Array(contents.length)
  // Of several reasons, the last one that is set is recorded.
  for (const id of shownBefore) mark(id, REPEATED)
  for (const place of slot.closed) reasons[place] = CAPPED
  if (slot.needs.caps)
    for (const [id, showings] of facts.showings()) {
      const place = places.get(id)
      if (place !== undefined && reachedCap(contents[place]!, showings, facts)) reasons[place] = CAPPED
    }
  for (const id of facts.stopped) mark(id, STOPPED)
  return reasons

  function mark(id: string, reason: number): void {
    const place = places.get(id)
    if (place !== undefined) reasons[place] = reason
  }
}

/** Stands for the value of a condition that has one for each content. */
const ASKED_OF_EACH = 2

/**
 * Describes in plain words why a content may not be shown. Undefined: the reason says it all.
 *
 * @param isPublic whether a client with the public key reads it: then values of the request's context are described,
 * and of a person only the paths that conditions read. Default: no
 */
export function detailOf(
  slot: CompiledSlot,
  place: number,
  reason: ExclusionReason,
  facts: EligibilityFacts,
  isPublic = false,
): string | undefined {
  const content = slot.contents[place]!
  if (reason === 'condition' && content.condition !== undefined) {
    const { answers } = facts
    const missed = answers.firstMiss(slot.conditions[content.condition]!, content.id)
    if (missed === undefined) return undefined
    const paths = answers.pathsOf(missed)
    if (isPublic && !paths.every(isOfRequest)) return `asks for ${paths.join(', ')}`
    return answers.describe(missed, content.id)
  }
  const reached = reason === 'capped' ? reachedCap(content, facts.showings().get(content.id) ?? [], facts) : undefined
  return reached && capDetail(`${reached.times} of ${reached.count}`, reached.per)
}

/** Describes a cap that is reached, such as `2 of 2 in 24h`. */
export function capDetail(times: string, per: string): string {
  return `${times} in ${per === 'session' ? 'this session' : per}`
}

const isOfRequest = (path: string) => path.startsWith('context.')

function reachedCap({ caps }: CompiledContent, showings: readonly Showing[], facts: EligibilityFacts) {
  for (const { count, per } of caps) {
    const times = timesShown(showings, per, facts)
    if (times >= count) return { times, count, per }
  }
  return undefined
}
