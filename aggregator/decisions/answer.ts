import {
  type CompiledSlot,
  type Decided,
  type DecidedPerson,
  type DecisionDefinitions,
  decide,
  isHeldOut,
  listCandidates,
  listExcluded,
  type Situation,
  servedDecision,
  situationOf,
} from '@slotstream/core'
import {
  type DecideRequest,
  type DecisionReason,
  type DecisionRecord,
  type Outcome,
  type Profile,
  recordHead,
  type ServedDecision,
  type Slot,
  type SlotDecision,
  type SlotRequest,
  undecided,
  uuidv7,
} from '@slotstream/protocol'
import type { Catalog } from './catalog.js'
import { type Models, NO_MODELS } from './models.js'

/** The decisions for a request, as the page gets them and as they are recorded, slot by slot. */
export interface Answer {
  decisions: SlotDecision[]
  records: DecisionRecord[]
  /** What the visitor's profile has to be told of. */
  served: ServedDecision[]
  /** Time from which on something of it must not be shown any more, in milliseconds since the epoch. */
  goodUntil: number
}

/** What is known of the visitor of a request. */
export interface Asker {
  /** Undefined: the visitor is new. */
  profile: Profile | undefined
  /** All browsers of the person. Default: what the profile says, without features and segments */
  person?: DecidedPerson | undefined
  /** Default: the site declares nothing */
  definitions?: DecisionDefinitions
  /** For how long the profile may have lacked messages, in milliseconds. Default 0 */
  ageMs?: number
  /** Time since the request came, in milliseconds. Default: not recorded */
  latencyMs?: number
}

/** Content that is listed for debuggers, at most. */
const MOST_EXPLAINED = 100

/**
 * Decides every slot of a request, in its order: none shows what an earlier one does.
 *
 * @param now milliseconds since the epoch
 * @param newId makes a decision's id, which is also the seed of its draw and begins with `now`: by it the warehouse knows
 *   when an event's decision was made
 */
export function answer(
  request: DecideRequest,
  asker: Asker,
  { catalog, models = NO_MODELS }: { catalog: Catalog; models?: Models },
  now: number,
  newId: (now: number) => string = uuidv7,
): Answer {
  const { siteId, visitorId, context } = request
  const slots = request.slots.flatMap(({ id }) => catalog.waysOf(siteId, id))
  const situation = situationOf({
    ...asker,
    siteId,
    visitorId,
    ...(context && { context }),
    slots,
    clauses: catalog.clausesOf(siteId),
    now,
  })
  const { personId } = situation.person
  const taken = new Set<string>()
  const ghosts = new Set<string>()
  const all: Answer = { decisions: [], records: [], served: [], goodUntil: Number.POSITIVE_INFINITY }
  for (const asked of request.slots) {
    const decisionId = newId(now)
    const found = catalog.slotFor(siteId, asked.id, personId)
    if (!found) {
      addTo(all, undecided({ slotId: asked.id, decisionId, outcome: 'unknown_slot' }, request, now))
      continue
    }
    const { slot, assigned } = found
    const isHeld = isHeldOut(siteId, visitorId, slot.slot)
    const before = isHeld && ghosts.size > 0 ? new Set([...taken, ...ghosts]) : taken
    const decided = decideOne(slot, asked, { situation, seed: decisionId, taken: before, models })
    const { choice, shown } = decided
    for (const contentId of choice.contentIds) taken.add(contentId)
    for (const contentId of choice.ghost ?? []) ghosts.add(contentId)
    for (const place of shown) all.goodUntil = Math.min(all.goodUntil, slot.contents[place]!.endsAt)
    const { typical } = (slot.learns && models.modelOf(siteId, slot.slot.id)) || {}
    const told = servedDecision(decisionId, slot, situation, decided, typical)
    if (told) all.served.push(told)
    addTo(all, {
      decision: decisionOf(request, decided, slot, situation, decisionId),
      record: {
        ...recordHead(asked.id, decisionId, request, now),
        ...choice,
        ...comparedBy(slot.slot, personId),
        ...assigned,
        ...(slot.slot.attribution && { attribution: slot.slot.attribution }),
        ...(asker.latencyMs !== undefined && { latencyMs: asker.latencyMs }),
        features: { ...choice.features },
      },
    })
  }
  return all
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
  const all: Answer = { decisions: [], records: [], served: [], goodUntil: Number.POSITIVE_INFINITY }
  for (const { id } of request.slots) {
    const found = catalog.slotOf(siteId, id)
    const holdout = found !== undefined && isHeldOut(siteId, visitorId, found.slot)
    addTo(all, undecided({ slotId: id, decisionId: newId(now), outcome, holdout }, request, now))
  }
  return all
}

function addTo(all: Answer, { decision, record }: { decision: SlotDecision; record: DecisionRecord }): void {
  all.decisions.push(decision)
  all.records.push(record)
}

/** Returns what comparing those who are held out with the others takes. */
function comparedBy({ holdout }: Slot, personId: string): Pick<DecisionRecord, 'personId' | 'armShares'> {
  return holdout > 0 ? { personId, armShares: [holdout, 1 - holdout] } : {}
}

function decideOne(
  slot: CompiledSlot,
  { count }: SlotRequest,
  { situation, seed, taken, models }: { situation: Situation; seed: string; taken: Set<string>; models: Models },
): Decided {
  const { siteId } = situation
  const { needs, learns } = slot
  return decide({
    situation,
    slot,
    count,
    seed,
    taken,
    ...(learns && { model: models.modelOf(siteId, slot.slot.id) }),
    ...(needs.policy.items && { itemsOf: type => models.itemsOf?.(siteId, type) }),
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
    ...(request.explain && { reason: reasonOf(decided, slot, situation) }),
  }
}

function reasonOf(
  { choice, explored, stages, reasons }: Decided,
  slot: CompiledSlot,
  facts: Situation,
): DecisionReason {
  const { policy, policyVersion, propensities, features, campaigns, model } = choice
  return {
    policy,
    policyVersion,
    propensities,
    explored,
    affinities: features.affinities,
    excluded: listExcluded(slot, reasons, facts, MOST_EXPLAINED),
    candidates: listCandidates(slot, stages, MOST_EXPLAINED).sort((a, b) => b.probability - a.probability),
    ...(campaigns && { campaigns }),
    ...(model && { learnedViews: model.views }),
  }
}
