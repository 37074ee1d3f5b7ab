import type { CompiledSlot } from '../catalog/compile-slot.js'
import { ELIGIBLE } from '../catalog/reasons.js'
import { type Decided, decide, type Question } from '../decide/decide.js'
import { chancesOf } from '../draw/lottery.js'
import { unpackLottery } from '../draw/pack-lottery.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import type { SlotModel } from '../learning/model/slot-model.js'
import { type RecordedAnswers, recordedAnswers } from './recorded-answers.js'
import { type AskedRecord, questionOfRecord, type RecordedQuestion } from './situation-of-record.js'

/** Content with the chance that it is shown at a position. */
export interface ContentChance {
  contentId: string
  chance: number
}

/** Models that another slot would have had by the time of a decision. */
export interface LearnedThen {
  model?: SlotModel | undefined
  itemsOf?: Question['itemsOf']
}

/** The answer that another slot would have given. */
export interface Otherwise {
  outcome: Decided['choice']['outcome']
  contentIds: string[]
  /**
   * Returns the contents that could have been shown at a position, from 0 on, below those shown above it, with their
   * chances.
   */
  chancesAt(position: number, above: readonly string[]): ContentChance[]
  /** Content of which the record does not say whether it could have been shown. */
  unknown: string[]
}

/**
 * Decides a recorded request about another slot: with its person, its time and its seed.
 *
 * @param was slot as it was decided by
 * @param slot as it would be
 * @param learned what the slot would have learned by then, and matrices of items. Default: nothing
 * @throws RangeError where the record is not one of the slot as it was
 */
export function decideOtherwise(
  siteId: string,
  record: AskedRecord,
  was: CompiledSlot,
  slot: CompiledSlot,
  { model, itemsOf }: LearnedThen = {},
): Otherwise {
  const recorded = recordedAnswers(record, was)
  const question = questionOfRecord(siteId, record, recorded, was, slot)
  const decided = decide({ ...question, ...(model && { model }), ...(itemsOf && { itemsOf }) })
  const { outcome, contentIds } = decided.choice
  return {
    outcome,
    contentIds,
    unknown: unknownOf(decided, question, recorded, was),
    chancesAt: (position, above) =>
      outcome === 'holdout' || outcome === 'stale' ? [] : chancesAt(decided, slot, position, above),
  }
}

/**
 * Returns the chances of the stage that fills a position, of candidates that are not above: how many each fills follows
 * from its candidates alone.
 */
function chancesAt({ stages }: Decided, { contents }: CompiledSlot, position: number, above: readonly string[]) {
  let end = 0
  const stage = stages.find(({ drawn }) => {
    end += drawn.length
    return position < end
  })
  if (!stage) return []
  const ids = stage.candidates.map(place => contents[place]!.id)
  const rest = [...ids.keys()].filter(index => !above.includes(ids[index]!))
  if (rest.length === 0) return []
  const { lottery, of: candidateCount } = stage.recorded
  const units = lottery
    ? chancesOf(unpackLottery(lottery, candidateCount), rest)
    : rest.map((_, index) => (index === 0 ? PROBABILITY_SCALE : 0))
  return rest.flatMap((index, place): ContentChance[] =>
    units[place]! > 0 ? [{ contentId: ids[index]!, chance: units[place]! / PROBABILITY_SCALE }] : [],
  )
}

/** Reasons that hide what comes after them: whether a cap was reached, or an event had come. */
const HIDING = ['not_started', 'ended', 'out_of_stock', 'broken_condition', 'condition']

/** Lists content that would have been eligible, though the record says too little of it. */
function unknownOf(
  { reasons }: Decided,
  { slot, situation }: RecordedQuestion,
  recorded: RecordedAnswers,
  was: CompiledSlot,
): string[] {
  const { answers } = situation
  const before = new Map(was.contents.map(each => [each.id, each]))
  const isUnknown = (where: readonly number[], place: number) => answers.isUnknown(where, slot.contents[place]!.id)
  const unknownPlaces = new Set(
    slot.campaigns.flatMap(({ where, contents }) => contents.filter(place => isUnknown(where, place))),
  )
  return slot.contents.flatMap(({ id, content, condition, caps }, place) => {
    if (reasons[place] !== ELIGIBLE) return []
    if (condition !== undefined && isUnknown(slot.conditions[condition]!, place)) return [id]
    if (unknownPlaces.has(place)) return [id]
    const contentBefore = before.get(id)
    if (!contentBefore) return []
    const isLimited = caps.length > 0 || content.stopAfter !== undefined
    const isOther =
      JSON.stringify(caps) !== JSON.stringify(contentBefore.caps) ||
      content.stopAfter !== contentBefore.content.stopAfter
    const isHidden = HIDING.includes(recorded.reasons.get(id) ?? '')
    return isLimited && (isOther || isHidden) ? [id] : []
  })
}
