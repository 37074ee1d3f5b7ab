import { type DecisionRecord, type ExclusionReason, joined, type Slot } from '@slotstream/protocol'
import type { ClauseAnswers } from '../catalog/clauses.js'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { unpackPlaces } from '../draw/pack-lottery.js'

/** The answers of a record about the conditions and contents of a slot, as they were. */
export interface RecordedAnswers {
  /**
   * Reason why each content of the slot, by id, could not be shown; undefined where it could. Others were not there.
   */
  reasons: ReadonlyMap<string, ExclusionReason | undefined>
  /**
   * True or false by the text of a condition: it held, or not; of one over features of content by `textOf` of the
   * content. Others were not evaluated, or were not there.
   */
  answers: ReadonlyMap<string, boolean>
}

/** Reasons that come after conditions: content with one of them met its condition. */
const AFTER_CONDITIONS: readonly (ExclusionReason | undefined)[] = [undefined, 'stopped', 'capped', 'repeated']

/**
 * Reads from a record which conditions held.
 *
 * @param was slot as it was decided by
 * @throws RangeError where the record is not one of that slot
 */
export function recordedAnswers({ draw }: Pick<DecisionRecord, 'draw'>, was: CompiledSlot): RecordedAnswers {
  const letters = unpackReasons(draw?.contents ?? '')
  const { contents } = was
  if (!draw || letters.length !== contents.length)
    throw new RangeError(`the record has ${letters.length} contents, its slot ${contents.length}`)
  const answers = new Map<string, boolean>([[textOf(undefined), true]])
  for (const [place, { content, condition }] of contents.entries()) {
    const reason = letters[place]
    const isAsked = condition !== undefined && was.asksContent[condition]
    const text = textOf(content.where, isAsked ? content.id : undefined)
    if (reason === 'condition') answers.set(text, false)
    else if (AFTER_CONDITIONS.includes(reason)) answers.set(text, true)
  }
  noteCampaigns(answers, draw.stages, was, letters)
  return { reasons: new Map(contents.map(({ id }, place) => [id, letters[place]])), answers }
}

/**
 * Notes which campaigns took part: those with a stage did, and of the others those that had content and were asked did
 * not.
 */
function noteCampaigns(
  answers: Map<string, boolean>,
  stages: NonNullable<DecisionRecord['draw']>['stages'],
  was: CompiledSlot,
  letters: readonly (ExclusionReason | undefined)[],
): void {
  const { slot, campaigns } = was
  const left = new Set(letters.flatMap((reason, place) => (reason === undefined ? [place] : [])))
  let next = 0
  for (const { id, contents, asksContent } of campaigns) {
    const stage = stages[next]
    // Where positions are filled, later campaigns are not asked.
    if (next > 0 && stage === undefined) return
    const where = whereOf(slot, id)
    const isMine = stage?.campaign === id
    const remaining = contents.filter(place => left.has(place))
    const places = isMine ? unpackPlaces(stage.contents ?? []) : []
    if (asksContent) {
      const met = isMine && stage.met !== undefined ? unpackPlaces(stage.met) : places
      for (const place of remaining) answers.set(textOf(where, was.contents[place]!.id), met.includes(place))
    } else if (isMine || remaining.length > 0) answers.set(textOf(where), isMine)
    if (!isMine) continue
    for (const index of stage.drawn) left.delete(places[index] ?? -1)
    next++
  }
}

/** Answers of a record, which notes what it was asked for and does not have. */
export interface AskedAnswers extends ClauseAnswers {
  /** Returns whether a condition was asked that the record does not answer. */
  isUnknown(numbers: readonly number[], contentId: string): boolean
}

/**
 * Answers the conditions of a slot as a record does. Those that it does not know hold, and are noted.
 *
 * @param slot the one of the record, or as it would be
 */
export function answersFrom({ answers }: RecordedAnswers, slot: CompiledSlot): AskedAnswers {
  const wheres = new Map<readonly number[], { where: unknown; asksContent: boolean }>()
  for (const { content, condition } of slot.contents)
    if (condition !== undefined)
      wheres.set(slot.conditions[condition]!, { where: content.where, asksContent: slot.asksContent[condition]! })
  for (const { id, where, asksContent } of slot.campaigns)
    wheres.set(where, { where: whereOf(slot.slot, id), asksContent })
  const unknown = new Set<string>()
  const keyOf = (numbers: readonly number[], contentId?: string) => {
    const { where, asksContent = false } = wheres.get(numbers) ?? {}
    return textOf(where, asksContent ? contentId : undefined)
  }
  return {
    isUnknown: (numbers, contentId) => unknown.has(keyOf(numbers, contentId)),
    firstMiss(numbers, contentId) {
      if (numbers.length === 0) return undefined
      const key = keyOf(numbers, contentId)
      const answer = answers.get(key)
      if (answer === undefined) unknown.add(key)
      return answer === false ? numbers[0] : undefined
    },
    describe: () => '',
    pathsOf: () => [],
  }
}

function whereOf({ campaigns = [] }: Slot, campaignId: string): unknown {
  return campaigns.find(({ id }) => id === campaignId)?.where
}

/** @param contentId of a condition that has an answer for each content */
function textOf(where: unknown, contentId?: string): string {
  const text = JSON.stringify(where ?? null)
  return contentId === undefined ? text : joined([text, contentId])
}
