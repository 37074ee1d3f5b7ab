import {
  type CompiledSlot,
  type Decided,
  type DecidedPerson,
  type DecisionDefinitions,
  decide,
  listCandidates,
  listExcluded,
  recordedFacts,
  type Situation,
  servedDecision,
  situationOf,
} from '@slotstream/core'
import {
  createUuidv7Maker,
  type DecideRequest,
  type DecisionReason,
  type DecisionRecord,
  type Outcome,
  type Profile,
  recordHead,
  type ServedDecision,
  type SlotDecision,
  type SlotRequest,
  undecided,
} from '@slotstream/protocol'
import type { Catalog } from './catalog.js'
import { type Models, NO_MODELS } from './models.js'

/** The decisions for a request, one per slot, as the page gets them and as they are recorded. */
export interface Answer {
  decisions: SlotDecision[]
  records: DecisionRecord[]
  /** Decisions that the visitor's profile keeps, for learning and caps. */
  served: ServedDecision[]
  /** Time at which the first shown content ends, in milliseconds since the epoch. */
  goodUntil: number
  /** Work that the answer took: the sum over slots of positions times contents. */
  work: number
}

/** Facts about the visitor of a request. */
export interface Asker {
  /** The visitor's profile. Undefined: the visitor is new */
  profile: Profile | undefined
  /** The person with all browsers. Default: `personOfProfile`, without features and segments */
  person?: DecidedPerson | undefined
  /** Definitions of the site. Default: none */
  definitions?: DecisionDefinitions
  /** Age of the profile: how long messages may have been missing from it, in milliseconds. Default 0 */
  ageMs?: number
  /** Time since the request came, in milliseconds. Default: not recorded */
  latencyMs?: number
}

const newDecisionId = createUuidv7Maker()

/** Contents that an explained answer lists, at most. */
const MOST_EXPLAINED = 100

/** Decides all slots of a request without pauses, see `answering`. */
export function answer(...args: Parameters<typeof answering>): Answer {
  const steps = answering(...args)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Decides the slots of a request in its order: none shows what an earlier one does. Yields between slots, so that other
 * work can run.
 *
 * @param now milliseconds since the epoch
 * @param newId creates a decision's id, which is also the seed of its draw. It begins with `now`, by which the
 * warehouse knows when the decision of an event was made. Default: a UUID of version 7
 */
export function* answering(
  request: DecideRequest,
  asker: Asker,
  { catalog, models = NO_MODELS }: { catalog: Catalog; models?: Models },
  now: number,
  newId: (now: number) => string = newDecisionId,
): Generator<void, Answer> {
  const { siteId, visitorId, context } = request
  const slots = request.slots.flatMap(({ id }) => catalog.waysOf(siteId, id))
  const situation = situationOf({
    siteId,
    visitorId,
    slots,
    clauses: catalog.clausesOf(siteId),
    now,
    counted: {
      rowsOf: contentId => models.contentOf?.(siteId, contentId)?.rows,
      ageMs: models.contentAgeMs?.() ?? 0,
    },
    ...(context && { context }),
    ...asker,
  })
  const { personId } = situation.person
  const shownIds = new Set<string>()
  const ghosts = new Set<string>()
  const all = emptyAnswer()
  // Before the first step: if the catalog changes in between, clauses may have other numbers.
  const slotsOfPerson = request.slots.map(({ id }) => catalog.slotFor(siteId, id, personId))
  for (const [index, slotRequest] of request.slots.entries()) {
    if (index > 0) yield
    const decisionId = newId(now)
    const ofAsked = slotsOfPerson[index]
    if (!ofAsked) {
      addTo(all, undecided({ slotId: slotRequest.id, decisionId, outcome: 'unknown_slot' }, request, now))
      continue
    }
    const { slot, assigned } = ofAsked
    const heldOut = catalog.isHeldOut(siteId, slot.slot, visitorId, personId)
    const before = heldOut && ghosts.size > 0 ? new Set([...shownIds, ...ghosts]) : shownIds
    const decided = decideOne(slot, slotRequest, models, { situation, seed: decisionId, heldOut, shownBefore: before })
    const { choice, shown } = decided
    for (const contentId of choice.contentIds) shownIds.add(contentId)
    for (const contentId of choice.ghost ?? []) ghosts.add(contentId)
    for (const place of shown) all.goodUntil = Math.min(all.goodUntil, slot.contents[place]!.endsAt)
    all.work += (slotRequest.count ?? slot.slot.count) * slot.contents.length
    const facts = recordedFacts(slot, situation, {
      also: catalog.readByCandidates(siteId, slotRequest.id),
      isHeldOutOfSite: heldOut && catalog.isHeldOutOfSite(siteId, personId),
    })
    const { typical } = (slot.learns && models.modelOf(siteId, slot.slot.id)) || {}
    const served = servedDecision(decisionId, slot, situation, decided, typical)
    if (served) all.served.push(served)
    // Assigned, not spread: the engine takes a hundred times as long for a large object whose spread comes first.
    const record: DecisionRecord = Object.assign(
      recordHead(slotRequest.id, decisionId, request, now),
      choice,
      comparedBy(catalog.holdoutOf(siteId, slot.slot), personId),
      assigned,
    )
    if (facts) record.known = facts
    if (slot.slot.attribution) record.attribution = slot.slot.attribution
    if (asker.latencyMs !== undefined) record.latencyMs = asker.latencyMs
    record.features = { ...choice.features }
    addTo(all, { decision: decisionOf(request, decided, slot, situation, decisionId), record })
  }
  return all
}

/** Returns the answer that leaves all slots to the page, with the reason. */
export function noAnswer(
  request: DecideRequest,
  outcome: Extract<Outcome, 'timeout' | 'unavailable'>,
  catalog: Catalog,
  now: number,
  newId: (now: number) => string = newDecisionId,
): Answer {
  const { siteId, visitorId } = request
  const all = emptyAnswer()
  for (const { id } of request.slots) {
    const slot = catalog.definitionOf(siteId, id)
    const holdout = slot !== undefined && catalog.isHeldOut(siteId, slot, visitorId, visitorId)
    addTo(all, undecided({ slotId: id, decisionId: newId(now), outcome, holdout }, request, now))
  }
  return all
}

function emptyAnswer(): Answer {
  return { decisions: [], records: [], served: [], goodUntil: Number.POSITIVE_INFINITY, work: 0 }
}

function addTo(all: Answer, { decision, record }: { decision: SlotDecision; record: DecisionRecord }): void {
  all.decisions.push(decision)
  all.records.push(record)
}

/** Returns the fields of a record by which visitors who are held out are compared with the others. */
function comparedBy(holdout: number, personId: string): Pick<DecisionRecord, 'personId' | 'armShares'> {
  return holdout > 0 ? { personId, armShares: [holdout, 1 - holdout] } : {}
}

function decideOne(
  slot: CompiledSlot,
  { count }: SlotRequest,
  models: Models,
  question: { situation: Situation; seed: string; heldOut: boolean; shownBefore: Set<string> },
): Decided {
  const { siteId } = question.situation
  const { needs, learns } = slot
  return decide({
    slot,
    count,
    ...(learns && { model: models.modelOf(siteId, slot.slot.id) }),
    ...(needs.policy.items && { itemsOf: type => models.itemsOf?.(siteId, type) }),
    ...question,
  })
}

function decisionOf(
  request: DecideRequest,
  decided: Decided,
  slot: CompiledSlot,
  situation: Situation,
  decisionId: string,
): SlotDecision {
  const { choice, shown } = decided
  return {
    slotId: slot.slot.id,
    decisionId,
    outcome: choice.outcome,
    items: shown.map((place, index) => {
      const { id, payload } = slot.contents[place]!.content
      return { contentId: id, position: index + 1, payload }
    }),
    ...(choice.features.ages && { ages: choice.features.ages }),
    ...(request.explain && { reason: reasonOf(decided, slot, situation, !request.tellsPerson) }),
  }
}

function reasonOf(
  { choice, explored, stages, reasons }: Decided,
  slot: CompiledSlot,
  facts: Situation,
  isPublic: boolean,
): DecisionReason {
  const { policy, policyVersion, propensities, features, campaigns, model } = choice
  return {
    policy,
    policyVersion,
    propensities,
    explored,
    affinities: features.affinities,
    excluded: listExcluded(slot, reasons, facts, MOST_EXPLAINED, isPublic),
    candidates: listCandidates(slot, stages, MOST_EXPLAINED).sort((a, b) => b.probability - a.probability),
    ...(campaigns && { campaigns }),
    ...(model && { learnedViews: model.views }),
  }
}
