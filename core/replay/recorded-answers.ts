import type { DecisionRecord, ExclusionReason } from '@slotstream/protocol'
import type { ClauseAnswers } from '../catalog/clauses.js'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { unpackPlaces } from '../draw/pack-lottery.js'

/** What a record says of the conditions and contents of a slot, as they were. */
export interface RecordedAnswers {
  /** Of each content of the slot by id: why it could not be shown; undefined where it could. Others were not there. */
  reasons: ReadonlyMap<string, ExclusionReason | undefined>
  /** Whether a condition held, by its text. Others were not asked, or were not there. */
  held: ReadonlyMap<string, boolean>
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
  const held = new Map<string, boolean>([[textOf(undefined), true]])
  for (const [place, { content }] of contents.entries()) {
    const reason = letters[place]
    if (reason === 'condition') held.set(textOf(content.where), false)
    else if (AFTER_CONDITIONS.includes(reason)) held.set(textOf(content.where), true)
  }
  noteCampaigns(held, draw.stages, was, letters)
  return { reasons: new Map(contents.map(({ id }, place) => [id, letters[place]])), held }
}

/** Notes which campaigns took part: those with a stage did, and of the others those that had content and were asked did not. */
function noteCampaigns(
  held: Map<string, boolean>,
  stages: NonNullable<DecisionRecord['draw']>['stages'],
  { slot, campaigns }: CompiledSlot,
  letters: readonly (ExclusionReason | undefined)[],
): void {
  const left = new Set(letters.flatMap((reason, place) => (reason === undefined ? [place] : [])))
  let next = 0
  for (const { id, contents } of campaigns) {
    const stage = stages[next]
    // Where positions are filled, later campaigns are not asked.
    if (next > 0 && stage === undefined) return
    const text = textOf(slot.campaigns?.find(campaign => campaign.id === id)?.where)
    if (stage?.campaign === id) {
      held.set(text, true)
      const places = unpackPlaces(stage.contents ?? [])
      for (const index of stage.drawn) left.delete(places[index] ?? -1)
      next++
    } else if (contents.some(place => left.has(place))) held.set(text, false)
  }
}

/** Conditions whose answer a record does not have, among those that were asked of it. */
export interface AskedAnswers extends ClauseAnswers {
  unknown: ReadonlySet<readonly number[]>
}

/**
 * Answers the conditions of a slot as a record does. Those that it does not know hold, and are noted.
 *
 * @param slot the one of the record, or as it would be
 */
export function answersFrom({ held }: RecordedAnswers, slot: CompiledSlot): AskedAnswers {
  const texts = new Map<readonly number[], string>()
  for (const { content, condition } of slot.contents)
    if (condition !== undefined) texts.set(slot.conditions[condition]!, textOf(content.where))
  for (const { id, where } of slot.campaigns)
    texts.set(where, textOf(slot.slot.campaigns?.find(campaign => campaign.id === id)?.where))
  const unknown = new Set<readonly number[]>()
  return {
    unknown,
    firstMiss(numbers) {
      if (numbers.length === 0) return undefined
      const known = held.get(texts.get(numbers) ?? '')
      if (known === undefined) unknown.add(numbers)
      return known === false ? numbers[0] : undefined
    },
    describe: () => '',
    pathsOf: () => [],
  }
}

function textOf(where: unknown): string {
  return JSON.stringify(where ?? null)
}
