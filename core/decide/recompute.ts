import type { DecisionRecord, RecordedDraw } from '@slotstream/protocol'
import { drawSlate } from '../draw/draw-slate.js'
import { unpackLottery } from '../draw/pack-lottery.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import { type Drawn, draw } from './draw.js'
import { seededRandom } from './random.js'

/**
 * Repeats the draw of a record from its own numbers and seed, to prove the record. For a visitor who was held out, it
 * is the draw of what would have been shown. Undefined for records without a draw, and those that this product did not
 * draw, such as imported ones. A content that is drawn although the record does not have it gets the id ''.
 */
export function recompute(
  record: Pick<DecisionRecord, 'outcome' | 'candidates' | 'contentIds' | 'features' | 'seed' | 'draw' | 'ghost'>,
): Drawn | undefined {
  if (record.ghost && record.draw) return drawAgain(record.draw, { contentIds: record.ghost, seed: record.seed })
  if (record.outcome !== 'served') return undefined
  if (record.draw) return drawAgain(record.draw, record)
  const { exploration } = record.features
  if (typeof exploration !== 'number') return undefined
  return draw(record.candidates, exploration, record.contentIds.length, seededRandom(record.seed))
}

function drawAgain({ stages }: RecordedDraw, { contentIds, seed }: Pick<DecisionRecord, 'contentIds' | 'seed'>): Drawn {
  const random = seededRandom(seed)
  const again: Drawn = { contentIds: [], propensities: [], explored: false }
  for (const { of: candidateCount, lottery, drawn } of stages) {
    const slate = lottery
      ? drawSlate(unpackLottery(lottery, candidateCount), candidateCount, drawn.length, random)
      : { drawn: drawn.map((_, index) => index), propensities: drawn.map(() => PROBABILITY_SCALE), explored: false }
    const shown = contentIds.slice(again.contentIds.length)
    again.contentIds.push(...slate.drawn.map((place, index) => (drawn[index] === place ? (shown[index] ?? '') : '')))
    again.propensities.push(...slate.propensities.map(units => units / PROBABILITY_SCALE))
    again.explored ||= slate.explored
  }
  return again
}
