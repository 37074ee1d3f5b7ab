/** How a slot chooses. */
export type Policy =
  /**
   * Best first by the visitor's affinity for the content's category; with probability `exploration`, uniformly at
   * random.
   */
  | { type: 'affinity'; exploration: number }
  /** Uniformly at random. */
  | { type: 'random' }
  /** Always these, in this order, as far as they are eligible. */
  | { type: 'fixed'; contentIds: string[] }

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
