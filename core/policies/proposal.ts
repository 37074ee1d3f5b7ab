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

/** What policies know of a person. */
export interface PersonFacts extends Omit<LearningFacts, 'context'> {
  /** Names the person: what is sticky depends on it. */
  personId: string
  /** Items the person had to do with, the latest last. */
  items?: readonly string[]
}

/** Policies that rank by a matrix of items, each by its own. */
export const ITEM_POLICIES = ['covisitation', 'knn', 'ease'] as const

export type ItemPolicy = (typeof ITEM_POLICIES)[number]

/** Everything a proposal depends on. */
export interface ProposalInput {
  siteId: string
  slotId: string
  /** In an order that the record of the decision repeats. */
  eligible: readonly EligibleContent[]
  /**
   * All content of the slot, always the same list, and where in it that which is eligible is. Default: there is no
   * other
   */
  among?: { all: readonly EligibleContent[]; places: readonly number[] }
  person: PersonFacts
  /** The request's own. */
  context: Record<string, unknown>
  /** What a linear model learns of person and context. Default: it is worked out from them */
  crossed?: (() => CrossedFacts) | undefined
  /** Undefined: nothing has been learned yet. */
  model?: SlotModel | undefined
  /** Undefined: no matrix of items has been fitted yet. */
  items?: ItemModel | undefined
  /**
   * Finds the matrix of a type of policy, where several may be asked for: those of an ensemble. Default: `items` for
   * all
   */
  itemsOf?: ((type: ItemPolicy) => ItemModel | undefined) | undefined
  /** Positions that are drawn for. */
  count: number
  /**
   * Least share of draws that any candidate can win, for policies that learn: `DEFAULT_EXPLORATION` where a slot has
   * none.
   */
  exploration: number
  seed: string
}

/** A policy's answer, before anything is drawn. */
export interface Proposal {
  /** Indices of `eligible` that can be drawn, in its order, unless the policy lists others. */
  candidates: number[]
  /** Of each candidate: what the policy thinks of it, to explain the choice. */
  scores: number[]
  lottery: Lottery
  /** Of an ensemble: numbers of the policies that were followed, the outermost first. */
  arms?: number[]
}

/** Proposes by a policy of one type. */
export type Propose<Spec extends PolicySpec | { type: 'default' }> = (policy: Spec, input: ProposalInput) => Proposal

/**
 * Returns a list of content, of which what is worked out may be kept for later requests, and where in it that which is
 * eligible is.
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
