import type { PolicySpec } from '@slotstream/protocol'
import type { Lottery } from '../draw/lottery.js'
import type { CrossedFacts } from '../learning/features/cross.js'
import type { ContentFacts } from '../learning/features/facets.js'
import type { LearningFacts } from '../learning/features/tokens.js'
import type { ItemModel } from '../learning/items/item-model.js'
import type { SlotModel } from '../learning/model/slot-model.js'

/** A content that may be shown, as policies see it. */
export interface EligibleContent extends ContentFacts {
  /** Relative chance under `weighted`. Default 1. */
  weight?: number
}

/** Facts about a person that policies use. */
export interface PersonFacts extends Omit<LearningFacts, 'context'> {
  /** Id of the person, on which sticky choices depend. */
  personId: string
  /** Ids of items that the person interacted with, the latest last. */
  items?: readonly string[]
}

/** Policies that rank by a matrix of items, each by its own. */
export const ITEM_POLICIES = ['covisitation', 'knn', 'ease'] as const

/** A type of policy that ranks by a matrix of items. */
export type ItemPolicy = (typeof ITEM_POLICIES)[number]

/** Input of a proposal: everything that it depends on. */
export interface ProposalInput {
  siteId: string
  slotId: string
  /** Content that may be shown, in the order in which the record has it. */
  eligible: readonly EligibleContent[]
  /**
   * All content of the slot, always the same list object, and the places of `eligible` in it. Default: `eligible` is
   * all
   */
  among?: { all: readonly EligibleContent[]; places: readonly number[] }
  person: PersonFacts
  /** Context of the request. */
  context: Record<string, unknown>
  /** Returns the facts that a linear model reads, computed once. Default: computed from person and context */
  crossed?: (() => CrossedFacts) | undefined
  /** Model of what the slot has learned. Undefined: nothing yet */
  model?: SlotModel | undefined
  /** Matrix of items. Undefined: none has been fitted yet */
  items?: ItemModel | undefined
  /**
   * Returns the matrix of items for a type of policy: an ensemble may need several. Default: `items` for all
   */
  itemsOf?: ((type: ItemPolicy) => ItemModel | undefined) | undefined
  /** Number of positions. */
  count: number
  /**
   * Share of draws that all candidates win alike, for policies that learn, 0 to 1. `DEFAULT_EXPLORATION` where the slot
   * has none.
   */
  exploration: number
  seed: string
}

/** A policy's answer, before anything is drawn. */
export interface Proposal {
  /** Indices into `eligible` of what can be drawn, ascending, unless the policy has an order of its own (`fixed`). */
  candidates: number[]
  /** For each candidate: the policy's score, to explain the choice. */
  scores: number[]
  lottery: Lottery
  /** Of an ensemble: numbers of the policies that were followed, the outermost first. */
  arms?: number[]
}

/** A function that proposes by policies of one type. */
export type Propose<Spec extends PolicySpec | { type: 'default' }> = (policy: Spec, input: ProposalInput) => Proposal

/**
 * Returns a list of content by whose object results may be cached for later requests, and the places of `eligible` in
 * it.
 */
export function amongAll({ eligible, among }: ProposalInput): NonNullable<ProposalInput['among']> {
  // A copy: the caller may change its own.
  return among ?? { all: eligible.slice(), places: placesTo(eligible.length) }
}

/** Returns the numbers from 0 to before `count`. */
export function placesTo(count: number): number[] {
  const places = new Array<number>(count)
  for (let place = 0; place < count; place++) places[place] = place
  return places
}

/** Returns the proposal of a policy that puts all eligible content in an order. */
export function rankedProposal(scores: number[], ranks: number[], exploration: number): Proposal {
  return { candidates: placesTo(scores.length), scores, lottery: { rule: 'ranked', exploration, ranks } }
}
