import type { ExclusionReason } from '@slotstream/protocol'
import { type Showing, timesShown } from './caps.js'
import type { ClauseAnswers } from './clauses.js'
import type { CompiledContent, CompiledSlot } from './compile-slot.js'
import { codeOf, ELIGIBLE, type Reasons } from './reasons.js'

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
 * Sorts out what may not be shown. To be asked last, after every cache: what has ended must not come back from one.
 *
 * @param shownBefore content that earlier slots of the same request show
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
    // A time that is none was refused when it was stored; where it was not, the content is not shown.
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
 * Marks what this person is not shown again. It is looked up by what the person was shown, which is less than what the
 * slot has.
 */
function heldBack(slot: CompiledSlot, facts: EligibilityFacts, shownBefore: ReadonlySet<string>): Reasons {
  const { contents, places } = slot
  const reasons = new Uint8Array(contents.length)
  // The last of the reasons that holds is the one that is told.
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

/** In the place of a condition's answer: each content has its own. */
const ASKED_OF_EACH = 2

/**
 * Describes in plain words why a content may not be shown, where the reason alone does not say it.
 *
 * @param isPublic whether a client with the public key reads it: then values are told of the request's own context
 * only, and of a person the names of what is asked for. Default: no
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

/** Returns the words of a cap that is reached, such as `2 of 2 in 24h`. */
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
