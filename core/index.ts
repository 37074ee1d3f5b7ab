export { type Suspicion, type SuspicionReason, suspicionOf } from './bots/suspicion.js'
export { compileCondition } from './conditions/compile-condition.js'
export { compileMessageCondition } from './conditions/compile-message-condition.js'
export type { Compiled, CompileOptions, Condition, PathReader } from './conditions/condition.js'
export { ANY_EVENT, eventNameOf, isOfEvent } from './conditions/event-name.js'
export { messagePathTrouble, type PathValue, readValues } from './conditions/message-paths.js'
export { type SharedReads, shareReads } from './conditions/share-reads.js'
export { type Choice, decide, isHeldOut } from './decide/decide.js'
export { recompute } from './decide/recompute.js'
export { BUILT_IN, type BuiltInDefinitions } from './definitions/built-in.js'
export { definitionFaults } from './definitions/check-definitions.js'
export {
  BUILT_IN_FEATURES,
  type BuiltInFeature,
  type CompileWhere,
  compileFeatures,
  DEFAULT_FEATURES,
  explainFeature,
  type Feature,
  type FeatureExplanation,
  type Features,
  type FeatureValue,
  featureValues,
  mergeStates,
  versionOfFeature,
} from './features/index.js'
export { type AboutPerson, aboutPerson } from './identity/about-person.js'
export { type SettledLink, settleBrowsers, settleUsers } from './identity/links.js'
export { type Merge, mergeIdOf, mergesOf, pairsOf } from './identity/merges.js'
export { applyChanges } from './identity/name-users.js'
export { foldPerson, statesOfUser, userOfBrowser } from './identity/person.js'
export { BUILTIN_PATTERNS, withBuiltinPatterns } from './patterns/builtin.js'
export { type CompiledSet, compilePatterns } from './patterns/compile.js'
export type { CompiledPatterns, Match } from './patterns/compiled.js'
export { DEFAULT_PATTERNS } from './patterns/default-patterns.js'
export { explainPattern, type PatternExplanation } from './patterns/explain.js'
export { firePatterns, type PatternOutcome, type PatternScope, stepPatterns } from './patterns/step.js'
export { ANONYMOUS_PROFILE_DAYS, hasEnded, isOfOneVisit } from './profile/anonymous-profiles.js'
export { type ApplyRules, applyAndDetect, applyEnvelope, profileOfLink } from './profile/apply.js'
export { profileBytes } from './profile/profile-size.js'
export { featureOf, readAttribute, type SegmentAttributes } from './segments/attributes.js'
export {
  type CompiledSegment,
  type CompiledSegments,
  compileSegments,
  featuresOf,
} from './segments/compile-segments.js'
export { compileWhere, type WhereOptions } from './segments/compile-where.js'
export { explainSegment, type SegmentExplanation } from './segments/explain.js'
export { changesOf, type PersonAttributes, type SegmentChanges, segmentsOf } from './segments/membership.js'
export { createPreview, mergePreviews, type Preview, type PreviewResult } from './segments/preview.js'
export type { Vocabulary } from './segments/vocabulary.js'
export { formerSignalIdOf, type HashText, signalIdOf } from './signals/signal-id.js'
