import type { DecisionRecord } from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { eligibleOf } from '../catalog/eligible.js'
import { decide } from '../decide/decide.js'
import { packReasons } from '../decide/record/pack-reasons.js'
import { type NotReproduced, reproduce } from '../explain/reproduce.js'
import { recordedAnswers } from './recorded-answers.js'
import { type AskedRecord, questionOfRecord } from './situation-of-record.js'

/** A record that is decided again. */
export type DecidedRecord = AskedRecord &
  Pick<DecisionRecord, 'propensities' | 'candidates' | 'excluded' | 'policy' | 'policyVersion'> &
  Partial<Pick<DecisionRecord, 'campaigns' | 'arms'>>

/**
 * Ways in which a decision is done again: by `decide()` with the slot as it was and what the record says of the person;
 * or, where the slot is not kept any more or its policy chose by what it had learned, from the numbers of the record's
 * draw.
 */
export type Way = 'decided' | 'drawn'

/** Decision that was done again. `trouble`: why it is not the same; undefined where it is, byte for byte. */
export interface Again {
  way: Way
  trouble?: NotReproduced | 'other_content'
}

/**
 * Does a decision again. Pure, and byte for byte: contents, propensities, candidates, what could not be shown and why,
 * and the draw are compared as text.
 *
 * @param was slot as it was decided by; undefined: it is not kept any more
 */
export function decideAgain(siteId: string, record: DecidedRecord, was: CompiledSlot | undefined): Again {
  const trouble = reproduce(record)
  if (trouble !== undefined || !was || !record.draw) return { way: 'drawn', ...(trouble && { trouble }) }
  try {
    const recorded = recordedAnswers(record, was)
    const question = questionOfRecord(siteId, record, recorded, was, was)
    const { sums, items } = was.needs.policy
    if (sums || items) {
      const { reasons } = eligibleOf(was, question.situation, question.shownBefore!)
      return packReasons(reasons) === record.draw.contents
        ? { way: 'drawn' }
        : { way: 'drawn', trouble: 'other_content' }
    }
    const { choice } = decide(question)
    return bytesOf(choice) === bytesOf(record) ? { way: 'decided' } : { way: 'decided', trouble: 'different' }
  } catch {
    return { way: 'decided', trouble: 'different' }
  }
}

/**
 * Returns the bytes of a record to compare, without the reasons' details and the features that were read: they are the
 * person's at that time.
 */
function bytesOf(
  decided: Pick<DecidedRecord, 'outcome' | 'holdout' | 'contentIds' | 'propensities' | 'candidates' | 'excluded'> &
    Pick<DecidedRecord, 'policy' | 'policyVersion' | 'seed' | 'draw' | 'ghost' | 'campaigns' | 'arms'>,
): string {
  const { outcome, holdout, contentIds, propensities, candidates, excluded, policy, policyVersion } = decided
  const { seed, draw, ghost, campaigns, arms } = decided
  const reasons = excluded.map(({ contentId, reason }) => [contentId, reason])
  const head = [outcome, holdout, policy, policyVersion, seed, contentIds, propensities, candidates, reasons]
  return JSON.stringify([...head, draw, ghost ?? null, campaigns ?? null, arms ?? null])
}
