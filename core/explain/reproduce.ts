import type { DecisionRecord, Outcome } from '@slotstream/protocol'
import { recompute } from '../decide/recompute.js'
import { unpackReasons } from '../decide/record/pack-reasons.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import { namesInRecord } from './names.js'
import { type ExplainedStage, explainStages } from './stages.js'

/** The fields of a record that its draw follows from. */
export type DrawnRecord = Pick<
  DecisionRecord,
  'outcome' | 'contentIds' | 'propensities' | 'candidates' | 'excluded' | 'features' | 'seed' | 'draw' | 'ghost'
>

/** Reason why a record is not drawn again. */
export type NotReproduced = 'no_draw' | 'imported' | 'different'

/** Greatest difference of chances of records of the first form, whose numbers are no whole units. */
const ROUNDING = 1e-12

/**
 * Draws a decision again from its record alone: the same contents in the same order, with the same propensities.
 * Undefined: it is what the record says.
 *
 * @param stages those of its draw, where they are known. Default: they are worked out
 */
export function reproduce(record: DrawnRecord, stages?: readonly ExplainedStage[]): NotReproduced | undefined {
  const { outcome, contentIds, propensities, draw, ghost } = record
  if (outcome !== 'served' && !ghost) {
    if (!draw) return isUndecided(outcome) && contentIds.length === 0 ? undefined : 'no_draw'
    const isNothing = contentIds.length === 0 && draw.stages.every(({ drawn }) => drawn.length === 0)
    return isNothing ? undefined : 'different'
  }
  try {
    const again = recompute(record)
    if (!again) return 'imported'
    const isSame = isEqual(again.contentIds, ghost ?? contentIds, (a, b) => a === b)
    // Propensities of what was held back are not listed.
    const isSameChance = ghost !== undefined || isEqual(again.propensities, propensities, draw ? isSameUnits : isClose)
    return isSame && isSameChance && namesAgree(record, stages) ? undefined : 'different'
  } catch {
    return 'different'
  }
}

/** Returns whether an outcome is one of requests for which no process decided: nothing is drawn for them. */
export function isUndecided(outcome: Outcome): boolean {
  return outcome === 'timeout' || outcome === 'unavailable' || outcome === 'unknown_slot'
}

/** Returns whether the drawn places have the names that the record lists for them. */
function namesAgree({ draw, ...record }: DrawnRecord, stages?: readonly ExplainedStage[]): boolean {
  return !draw || namesInRecord(record, unpackReasons(draw.contents), stages ?? explainStages(draw)).agree
}

function isEqual<T>(a: readonly T[], b: readonly T[], is: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((entry, index) => is(entry, b[index]!))
}

function isSameUnits(a: number, b: number): boolean {
  return Math.round(a * PROBABILITY_SCALE) === Math.round(b * PROBABILITY_SCALE)
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= ROUNDING
}
