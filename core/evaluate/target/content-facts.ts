import type { EligibleContent } from '../../policies/proposal.js'

/** Facts of contents that a log does not hold: category and weight. By id. */
export type ContentFactsById = ReadonlyMap<string, EligibleContent>
