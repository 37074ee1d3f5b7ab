import type { Policy } from './catalog.js'

/** Policies that learn, or that a slot names besides those of `Policy`. Types and fields are the public contract. */
export type LearningPolicy =
  /** At random, each content by its `weight`. */
  | { type: 'weighted' }
  /** Best first by what a view earns; `bySegment`: in the person's segments. */
  | { type: 'popular'; bySegment?: boolean }
  /** Best first by what a view has earned lately; `bySegment`: in the person's segments. */
  | { type: 'trending'; bySegment?: boolean }
  /** Best first by the visitor's affinity for the category, times popularity. */
  | { type: 'affinity'; exploration: number; popularity: true }
  /** Best first by what those who have the visitor's items have, too. */
  | { type: 'covisitation' }
  /** Best first by similar items of each of the visitor's. */
  | { type: 'knn' }
  /** Best first by a linear model of items (EASE). */
  | { type: 'ease' }
  /** Each content by its probability to be the best (Beta–Bernoulli). Prior: what the slot's contents suggest. */
  | { type: 'thompson'; prior?: { successes: number; failures: number } }
  /** Each content by its probability to be the best for this person and request. */
  | { type: 'contextual'; draw?: 'quadrature' | 'gaps' | 'samples' }
  /** One policy for a share of the persons, each always the same. Shares are relative. */
  | { type: 'ensemble'; policies: { share: number; policy: PolicySpec }[] }

/** How a slot chooses, with all types of policies. */
export type PolicySpec = Policy | LearningPolicy

/** Share of draws that any content can win where a slot says nothing. */
export const DEFAULT_EXPLORATION = 0.02
