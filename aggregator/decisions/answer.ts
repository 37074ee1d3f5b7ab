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
  /** Work that it took: positions times the contents that each was chosen from. */
  work: number
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

/** Decides every slot of a request at once: see `answering`. */
export function answer(...given: Parameters<typeof answering>): Answer {
  const steps = answering(...given)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Decides every slot of a request, in its order: none shows what an earlier one does. A step for each, so that others
 * have their turn in between.
 *
 * @param now milliseconds since the epoch
 * @param newId makes a decision's id, which is also the seed of its draw and begins with `now`: by it the warehouse
 * knows when an event's decision was made
 */
export function* answering(
  request: DecideRequest,
  asker: Asker,
  { catalog, models = NO_MODELS }: { catalog: Catalog; models?: Models },
  now: number,
  newId: (now: number) => string = uuidv7,
): Generator<void, Answer> {
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
    counted: {
      rowsOf: contentId => models.contentOf?.(siteId, contentId)?.rows,
      ageMs: models.contentAgeMs?.() ?? 0,
    },
  })
  const { personId } = situation.person
  const taken = new Set<string>()
  const ghosts = new Set<string>()
  const all = emptyAnswer()
  // All before the first step: the catalog may change in between, and with it what clauses are called.
  const found = request.slots.map(({ id }) => catalog.slotFor(siteId, id, personId))
  for (const [index, asked] of request.slots.entries()) {
    if (index > 0) yield
    const decisionId = newId(now)
    const ofAsked = found[index]
    if (!ofAsked) {
      addTo(all, undecided({ slotId: asked.id, decisionId, outcome: 'unknown_slot' }, request, now))
      continue
    }
    const { slot, assigned } = ofAsked
    const heldOut = catalog.isHeldOut(siteId, slot.slot, visitorId, personId)
    const before = heldOut && ghosts.size > 0 ? new Set([...taken, ...ghosts]) : taken
    const decided = decideOne(slot, asked, { situation, seed: decisionId, heldOut, taken: before, models })
    const { choice, shown } = decided
    for (const contentId of choice.contentIds) taken.add(contentId)
    for (const contentId of choice.ghost ?? []) ghosts.add(contentId)
    for (const place of shown) all.goodUntil = Math.min(all.goodUntil, slot.contents[place]!.endsAt)
    all.work += (asked.count ?? slot.slot.count) * slot.contents.length
    const known = recordedFacts(slot, situation, {
      also: catalog.readByCandidates(siteId, asked.id),
      isHeldOutOfSite: heldOut && catalog.isHeldOutOfSite(siteId, personId),
    })
    const { typical } = (slot.learns && models.modelOf(siteId, slot.slot.id)) || {}
    const told = servedDecision(decisionId, slot, situation, decided, typical)
    if (told) all.served.push(told)
    addTo(all, {
      decision: decisionOf(request, decided, slot, situation, decisionId),
      record: {
        ...recordHead(asked.id, decisionId, request, now),
        ...choice,
        ...comparedBy(catalog.holdoutOf(siteId, slot.slot), personId),
        ...assigned,
        ...(known && { known }),
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
  const all = emptyAnswer()
  for (const { id } of request.slots) {
    const found = catalog.slotOf(siteId, id)
    const holdout = found !== undefined && catalog.isHeldOut(siteId, found.slot, visitorId, visitorId)
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

/** Returns what comparing those who are held out with the others takes. */
function comparedBy(holdout: number, personId: string): Pick<DecisionRecord, 'personId' | 'armShares'> {
  return holdout > 0 ? { personId, armShares: [holdout, 1 - holdout] } : {}
}

function decideOne(
  slot: CompiledSlot,
  { count }: SlotRequest,
  { models, ...asked }: { situation: Situation; seed: string; heldOut: boolean; taken: Set<string>; models: Models },
): Decided {
  const { siteId } = asked.situation
  const { needs, learns } = slot
  return decide({
    ...asked,
    slot,
    count,
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
