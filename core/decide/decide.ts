import {
  type DecisionRecord,
  joined,
  type Outcome,
  parseDuration,
  type RecordedModel,
  type Slot,
  shareOf,
} from '@slotstream/protocol'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { eligibleOf } from '../catalog/eligible.js'
import type { Reasons } from '../catalog/reasons.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import type { ItemModel } from '../learning/items/item-model.js'
import type { SlotModel } from '../learning/model/slot-model.js'
import type { ItemPolicy } from '../policies/proposal.js'
import { listCandidates, listExcluded } from './list-contents.js'
import { packReasons } from './record/pack-reasons.js'
import { sayOnce } from './record/say-once.js'
import type { Situation } from './situation.js'
import { chooseInStages, type Stage } from './stages.js'

/** Input of a choice: everything that it depends on. */
export interface Question {
  situation: Situation
  slot: CompiledSlot
  /** Number of items to show. Default: the slot's own count */
  count?: number | undefined
  seed: string
  /** Whether the visitor is held out. Default: by the holdout of the slot, see `isHeldOut` */
  heldOut?: boolean | undefined
  /** Ids of content that earlier slots of the same request show. Default: none */
  shownBefore?: ReadonlySet<string>
  /** Model of what the slot has learned. Default: nothing was learned */
  model?: SlotModel | undefined
  /** Finds the matrix of items of a type of policy. Default: none */
  itemsOf?: ((type: ItemPolicy) => ItemModel | undefined) | undefined
}

/** A choice with its explanation: the fields of a `DecisionRecord` that follow from a `Question`. */
export type Choice = Pick<
  DecisionRecord,
  | 'recordVersion'
  | 'policy'
  | 'policyVersion'
  | 'holdout'
  | 'contentIds'
  | 'propensities'
  | 'candidates'
  | 'excluded'
  | 'seed'
  | 'draw'
  | 'model'
  | 'itemsAsOf'
  | 'campaigns'
  | 'arms'
  | 'ghost'
> & {
  outcome: Extract<Outcome, 'served' | 'holdout' | 'stale' | 'empty'>
  features: {
    affinities: Record<string, number>
    /** Share of draws that all candidates win alike, 0 to 1. */
    exploration: number
    /** Age of each feature that the choice read, in milliseconds. Absent: it read none */
    ages?: Record<string, number>
    /** Version of each feature that the choice read. Absent: none has one */
    versions?: Record<string, string>
  }
}

/** A choice, with details that its record does not have. */
export interface Decided {
  choice: Choice
  /** Places of the shown contents in `CompiledSlot.contents`. */
  shown: number[]
  /** Whether something was shown although something else was more likely. */
  explored: boolean
  stages: readonly Stage[]
  /** For each content of the slot: whether and why it may not be shown. */
  reasons: Reasons
}

/**
 * Chooses for one slot. Pure: the same question has the same answer. Whether the visitor is held out is decided before
 * anything is drawn, so that it does not depend on the catalog. What would have been shown is drawn and recorded even
 * then ("ghost ads": Johnson, Lewis and Nubbemeyer 2017), so that visitors who are held out can be compared with those
 * who were shown the same.
 */
export function decide(question: Question): Decided {
  const { situation, slot, count = slot.slot.count, seed, shownBefore = NONE, model, itemsOf } = question
  const { siteId, visitorId, person, context } = situation
  const { eligible, reasons } = eligibleOf(slot, situation, shownBefore)
  const holdout = question.heldOut ?? isHeldOut(siteId, visitorId, slot.slot)
  const featureNames = featuresAskedFor(slot, situation)
  const ages = agesOf(slot, situation, featureNames)
  const isStale = ages.some(([, age]) => age > maxAgeOf(slot.slot))
  let itemsAsOf: number | undefined
  const itemsFor = (type: ItemPolicy): ItemModel | undefined => {
    const items = itemsOf?.(type)
    itemsAsOf = items?.asOf
    return items
  }
  const facts = {
    siteId,
    person,
    context,
    crossed: situation.crossed,
    model,
    ...(itemsOf && { itemsOf: itemsFor }),
    seed,
  }
  const stages = chooseInStages(
    slot,
    eligible,
    isStale ? 0 : count,
    facts,
    (where, contentId) => situation.answers.firstMiss(where, contentId) === undefined,
  )
  const drawn = stages.flatMap(({ drawn, candidates }) => drawn.map(index => candidates[index]!))
  const shown = holdout ? [] : drawn
  const idsOf = (places: readonly number[]) => places.map(place => slot.contents[place]!.id)
  const last = stages.at(-1)!
  const campaigns = stages.flatMap(({ campaign, drawn }) =>
    campaign !== undefined && drawn.length > 0 && !holdout ? [campaign] : [],
  )
  const versions = versionsOf(slot, situation, featureNames)
  const features: Choice['features'] = {
    affinities: person.affinities,
    exploration: last.recorded.lottery?.exploration ?? 0,
  }
  if (ages.length > 0) features.ages = Object.fromEntries(ages)
  if (versions.length > 0) features.versions = Object.fromEntries(versions)
  const choice: Choice = {
    recordVersion: 3,
    outcome: holdout ? 'holdout' : isStale ? 'stale' : shown.length > 0 ? 'served' : 'empty',
    holdout,
    contentIds: idsOf(shown),
    propensities: holdout
      ? []
      : stages.flatMap(({ propensities }) => propensities.map(units => units / PROBABILITY_SCALE)),
    candidates: listCandidates(slot, stages),
    excluded: sayOnce(listExcluded(slot, reasons, situation)),
    features,
    policy: slot.slot.policy?.type ?? 'default',
    policyVersion: slot.policyVersion,
    seed,
    draw: { version: 3, contents: packReasons(reasons), stages: stages.map(({ recorded }) => recorded) },
  }
  // One by one: what is spread into an object takes twenty times as long.
  if (campaigns.length > 0) choice.campaigns = campaigns
  if (last.arms) choice.arms = last.arms
  if (holdout) choice.ghost = idsOf(drawn)
  if (model) choice.model = versionOf(model)
  if (itemsAsOf !== undefined) choice.itemsAsOf = itemsAsOf
  return { choice, shown, explored: !holdout && stages.some(stage => stage.explored), stages, reasons }
}

const NONE: ReadonlySet<string> = new Set()

/** Returns the names of the facts of a profile that policy and conditions of a slot read. */
function featuresAskedFor({ needs }: CompiledSlot, { values }: Situation): string[] {
  const names = needs.policy.affinities ? ['affinities'] : []
  if (needs.segments) names.push('segments')
  for (const name of values.keys()) if (needs.policy.features || needs.features.includes(name)) names.push(name)
  return names
}

/**
 * Returns the age of each feature that a choice reads, of the person and of content, in milliseconds. Names are unique
 * over both.
 */
function agesOf(
  { needs }: CompiledSlot,
  { ageMs, contents }: Situation,
  featureNames: readonly string[],
): [string, number][] {
  const ofContent = needs.contentFeatures.map((name): [string, number] => [name, contents.ageMs])
  return [...featureNames.map((name): [string, number] => [name, ageMs]), ...ofContent]
}

/** Returns the versions of the features that a choice read; for a rate, those of the two features that it divides. */
function versionsOf({ needs }: CompiledSlot, { values, contents }: Situation, featureNames: readonly string[]) {
  const versions = featureNames.flatMap((name): [string, string][] => {
    const version = values.get(name)?.version
    return version === undefined ? [] : [[name, version]]
  })
  return [...versions, ...contents.versionsOf(needs.contentFeatures)]
}

/** Returns the greatest age of features by which a slot still chooses, in milliseconds. Default: no limit */
function maxAgeOf({ maxAge }: Slot): number {
  return (maxAge === undefined ? undefined : parseDuration(maxAge)) ?? Number.POSITIVE_INFINITY
}

/** Tells whether a visitor belongs to a slot's holdout: by a stable hash of the holdout's tag, site and visitor. */
export function isHeldOut(siteId: string, visitorId: string, { holdout, holdoutTag }: Slot): boolean {
  const what = holdoutTag === undefined ? 'holdout' : joined(['holdout', holdoutTag])
  return holdout > 0 && shareOf(what, siteId, visitorId) < holdout
}

function versionOf({ asOf, contents, linear }: SlotModel): RecordedModel {
  const views = Math.round(contents.total.views)
  return { asOf, views, ...(linear && { outcomes: linear.outcomes }) }
}
