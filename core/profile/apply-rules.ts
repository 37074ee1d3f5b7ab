import type { Features } from '../features/feature.js'
import type { CompiledPatterns } from '../patterns/compiled.js'
import type { CompiledSegments } from '../segments/compile-segments.js'

/** Rules by which messages are applied. */
export interface ApplyRules {
  /** Days after which the profile of a single anonymous visit has ended, 0 for never: see `hasEnded`. Default 30 */
  anonymousDays?: number | undefined
  /** Features and patterns of the site. Default: those that every site has */
  features?: Features
  patterns?: CompiledPatterns
  /** Segments of the site. Default: none */
  segments?: CompiledSegments
  /** True if visitors who seem to be programs may be in them. Default: false */
  includesBots?: boolean
  /** Events that content of the site names in `stopAfter`. Default: none */
  stopEvents?: ReadonlySet<string>
  /** True if only features are computed, with what they depend on: no signals, traits and affinities. Default: all */
  onlyFeatures?: boolean
}
