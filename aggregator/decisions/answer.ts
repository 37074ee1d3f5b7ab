import { type Choice, decide, isHeldOut } from '@slotstream/core'
import {
  type DecideRequest,
  type DecisionRecord,
  type Outcome,
  type Profile,
  recordHead,
  type SlotDecision,
  type SlotRequest,
  undecided,
  uuidv7,
} from '@slotstream/protocol'
import type { Catalog, CatalogSlot } from './catalog.js'

/** The decisions for a request, as the page gets them and as they are recorded, slot by slot. */
export interface Answer {
  decisions: SlotDecision[]
  records: DecisionRecord[]
}

/**
 * Decides every slot of a request.
 *
 * @param now milliseconds since the epoch
 * @param newId makes a decision's id, which is also the seed of its draw and begins with `now`: by it the warehouse knows
 *   when an event's decision was made
 * @param ageMs for how long the profile may have lacked messages, in milliseconds
 */
export function answer(
  request: DecideRequest,
  profile: Profile | undefined,
  catalog: Catalog,
  now: number,
  newId: (now: number) => string = uuidv7,
  ageMs = 0,
): Answer {
  const { siteId, visitorId } = request
  return eachSlot(
    request,
    (asked, decisionId) => {
      const found = catalog.slotOf(siteId, asked.id)
      if (!found) return undecided({ slotId: asked.id, decisionId, outcome: 'unknown_slot' }, request, now)
      const choice = decide({ siteId, visitorId, profile, ageMs, ...found, count: asked.count, now, seed: decisionId })
      const { features, explored: _notRecorded, ...recorded } = choice
      return {
        decision: decisionOf(request, choice, found, decisionId),
        record: {
          ...recordHead(asked.id, decisionId, request, now),
          ...recorded,
          ...(found.slot.attribution && { attribution: found.slot.attribution }),
          features: { ...features },
        },
      }
    },
    () => newId(now),
  )
}

/** The answer that leaves every slot to the page, and says why. */
export function noAnswer(
  request: DecideRequest,
  outcome: Extract<Outcome, 'timeout' | 'unavailable'>,
  catalog: Catalog,
  now: number,
  newId: (now: number) => string = uuidv7,
): Answer {
  const { siteId, visitorId } = request
  return eachSlot(
    request,
    ({ id }, decisionId) => {
      const found = catalog.slotOf(siteId, id)
      const holdout = found !== undefined && isHeldOut(siteId, visitorId, found.slot)
      return undecided({ slotId: id, decisionId, outcome, holdout }, request, now)
    },
    () => newId(now),
  )
}

function eachSlot(
  request: DecideRequest,
  decideOne: (asked: SlotRequest, decisionId: string) => { decision: SlotDecision; record: DecisionRecord },
  newId: () => string,
): Answer {
  const both = request.slots.map(asked => decideOne(asked, newId()))
  return { decisions: both.map(({ decision }) => decision), records: both.map(({ record }) => record) }
}

function decisionOf(request: DecideRequest, choice: Choice, { slot, contents }: CatalogSlot, decisionId: string) {
  const payloads = new Map(contents.map(({ id, payload }) => [id, payload]))
  const decision: SlotDecision = {
    slotId: slot.id,
    decisionId,
    outcome: choice.outcome,
    items: choice.contentIds.map((contentId, index) => ({
      contentId,
      position: index + 1,
      payload: payloads.get(contentId) ?? {},
    })),
    ...(choice.features.ages && { ages: choice.features.ages }),
  }
  if (request.explain) {
    const { policy, policyVersion, propensities, explored, features, excluded } = choice
    decision.reason = {
      policy,
      policyVersion,
      propensities,
      explored,
      affinities: features.affinities,
      excluded,
    }
  }
  return decision
}
