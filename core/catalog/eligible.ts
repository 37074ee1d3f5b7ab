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
  const { contents, conditions, asksContent } = slot
  const { now, answers, stopped } = facts
  const { startsAt, endsAt, condition, isOutOfStock, hasCaps } = slot.columns
  const showings = slot.needs.caps ? facts.showings() : NONE
  const misses = Uint8Array.from(conditions, (numbers, condition) =>
    asksContent[condition] ? ASKED_OF_EACH : answers.firstMiss(numbers) === undefined ? 0 : 1,
  )
  const isMissed = (place: number) => {
    const missed = misses[condition[place]!]!
    if (missed !== ASKED_OF_EACH) return missed === 1
    return answers.firstMiss(conditions[condition[place]!]!, contents[place]!.id) !== undefined
  }
  const eligible: number[] = []
  const reasons = new Array<ExclusionReason | undefined>(contents.length).fill(undefined)
  const isAsked = stopped.size > 0 || taken.size > 0
  for (let place = 0; place < contents.length; place++) {
    // A time that is none was refused when it was stored; where it was not, the content is not shown.
    if (!(now >= startsAt[place]!)) reasons[place] = 'not_started'
    else if (!(now < endsAt[place]!)) reasons[place] = 'ended'
    else if (isOutOfStock[place]) reasons[place] = 'out_of_stock'
    else if (condition[place]! < 0) reasons[place] = 'broken_condition'
    else if (isMissed(place)) reasons[place] = 'condition'
    else {
      const reason = hasCaps[place] || isAsked ? reasonOf(contents[place]!) : undefined
      if (reason === undefined) eligible.push(place)
      else reasons[place] = reason
    }
  }
  return { eligible, reasons }

  function reasonOf(content: CompiledContent): ExclusionReason | undefined {
    const { id, caps } = content
    if (stopped.size > 0 && stopped.has(id)) return 'stopped'
    if (caps.length > 0 && reachedCap(content, showings.get(id), facts)) return 'capped'
    return taken.size > 0 && taken.has(id) ? 'repeated' : undefined
  }
}

const NONE: ReadonlyMap<string, readonly Showing[]> = new Map()

/** In the place of a condition's answer: each content has its own. */
const ASKED_OF_EACH = 2

/**
 * Describes in plain words why a content may not be shown, where the reason alone does not say it.
 *
 * @param isPublic whether a client with the public key reads it: then values are told of the request's own context only, and
 *   of a person the names of what is asked for. Default: no
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
  const reached = reason === 'capped' ? reachedCap(content, facts.showings().get(content.id), facts) : undefined
  return reached && `${reached.times} of ${reached.count} per ${reached.per}`
}

const isOfRequest = (path: string) => path.startsWith('context.')

function reachedCap({ caps }: CompiledContent, showings: readonly Showing[] | undefined, facts: EligibilityFacts) {
  for (const { count, per } of caps) {
    const times = showings ? timesShown(showings, per, facts) : 0
    if (times >= count) return { times, count, per }
  }
  return undefined
}
