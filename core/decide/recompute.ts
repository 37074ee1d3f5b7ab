import type { DecisionRecord } from '@slotstream/protocol'
import { type Drawn, draw } from './draw.js'
import { seededRandom } from './random.js'

/**
 * Draws again what a record says was drawn, from its candidates' scores and its seed: the proof that the record tells
 * the truth. Undefined for records that this product did not draw, such as imported ones, and for those without a draw.
 */
export function recompute(
  record: Pick<DecisionRecord, 'outcome' | 'candidates' | 'contentIds' | 'features' | 'seed'>,
): Drawn | undefined {
  const { exploration } = record.features
  if (record.outcome !== 'served' || typeof exploration !== 'number') return undefined
  return draw(record.candidates, exploration, record.contentIds.length, seededRandom(record.seed))
}
