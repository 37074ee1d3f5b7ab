export { ENDLESS, RATE, REGULAR, type Suspicion, type SuspicionReason, suspicionOf } from './bots/suspicion.js'
export { compileCandidates, missesOfCandidates, takerOf } from './catalog/candidates.js'
export { timesShown } from './catalog/caps.js'
export { type ClauseAnswers, type Clauses, createClauses } from './catalog/clauses.js'
export {
  type CompiledContent,
  type CompiledSlot,
  compileSlot,
  compileWithContents,
  compilingSlot,
  versioning,
  withPolicy,
} from './catalog/compile-slot.js'
export { factsOf } from './catalog/content-facts.js'
export { eligibleOf } from './catalog/eligible.js'
export { itemPoliciesOf, needsOf, needsOfCandidates, type PolicyNeeds } from './catalog/policy-needs.js'
export { contentsOfSlot, inOrder, ordering, recordedVersion, slotOfArm } from './catalog/slot-of-arm.js'
export { type SomeCatalog, slotOfCatalog } from './catalog/slot-of-catalog.js'
export { isStepEnd, toEnd } from './catalog/steps.js'
export { compileCondition } from './conditions/compile-condition.js'
export { compileMessageCondition } from './conditions/compile-message-condition.js'
export type { Compiled, CompileOptions, Condition, PathReader } from './conditions/condition.js'
export { ANY_EVENT, eventNameOf, isOfEvent } from './conditions/event-name.js'
export { messagePathTrouble, type PathValue, readValues } from './conditions/message-paths.js'
export { type SharedReads, shareReads } from './conditions/share-reads.js'
export { counted } from './counted.js'
export { choose, type PolicyChoice } from './decide/choose.js'
export { type Choice, type Decided, decide, isHeldOut, type Question } from './decide/decide.js'
export { listCandidates, listExcluded } from './decide/list-contents.js'
export { type DecidedPerson, personOfProfile } from './decide/person.js'
export { seededRandom } from './decide/random.js'
export { recompute } from './decide/recompute.js'
export { unpackReasons } from './decide/record/pack-reasons.js'
export { recordedFacts } from './decide/record/record-facts.js'
export { sayOnce, withDetails } from './decide/record/say-once.js'
export { servedDecision } from './decide/served-decision.js'
export {
  type DecisionDefinitions,
  needsPerson,
  type Situation,
  type SituationInput,
  situationOf,
} from './decide/situation.js'
export type { TestedCatalog } from './decide/tests/ask-as-given.js'
export { createCheckDecisionTest } from './decide/tests/check-decision-test.js'
export { missingContents } from './decide/tests/missing-contents.js'
export { createRunDecisionTest } from './decide/tests/run-decision-test.js'
export { createFindCounterExamples, trialsOf } from './decide/tests/search/counter-example.js'
export { BUILT_IN, type BuiltInDefinitions } from './definitions/built-in.js'
export {
  contentConditionFaults,
  MAX_CATALOG_EXPRESSIONS,
  slotConditionFaults,
} from './definitions/catalog-conditions.js'
export { countExpressions, definitionFaults, namesInUse } from './definitions/check-definitions.js'
export { payloadFaults, type SchemaSlot, schemaSlotsOf } from './definitions/payload-faults.js'
export { publicFeatures } from './definitions/public-features.js'
export { repairDefinitions } from './definitions/repair-definitions.js'
export { drawSlate, type Slate } from './draw/draw-slate.js'
export { chancesOf, type Lottery } from './draw/lottery.js'
export { PROBABILITY_SCALE } from './draw/probability.js'
export type { DecisionLog, LoggedSituation, Lot, RowRange } from './evaluate/decision-log.js'
export type { Estimates } from './evaluate/estimate.js'
export { type Evaluation, evaluateLots } from './evaluate/evaluate.js'
export type { Estimate } from './evaluate/interval.js'
export type { Diagnostics, Refusal } from './evaluate/refusal.js'
export { type Showable, showableOf } from './evaluate/showable.js'
export type { ContentFactsById } from './evaluate/target/content-facts.js'
export { policyTarget, type Target, uniformTarget } from './evaluate/target/target.js'
export { type AfterLook, afterLook, verdictOfTournament } from './experiments/after-look.js'
export { type Assignment, armOf, assignmentOf, experimentOfGroup, keptArm } from './experiments/assign.js'
export {
  type AuditedDraw,
  createDrawAudit,
  type DrawAudit,
  type DrawAuditState,
} from './experiments/checks/draw-audit.js'
export {
  arrivalOf,
  checkLoss,
  correctForLoss,
  type LossCheck,
  type Stratum,
  withoutLoss,
} from './experiments/checks/loss.js'
export { type CheckResult, createSampleRatio, type SampleRatio } from './experiments/checks/sample-ratio.js'
export { drawsOf } from './experiments/draws-of.js'
export {
  type ArmSums,
  addSums,
  differenceOf,
  isFiniteSums,
  type Lift,
  type LiftOptions,
  relativeLiftOf,
} from './experiments/lift.js'
export { type Plan, type PlanQuestion, planOf } from './experiments/plan.js'
export { type PowerAnswer, type PowerQuestion, powerOf } from './experiments/power.js'
export { type Counted, type CountedArm, type ExperimentResults, resultsOf } from './experiments/results.js'
export { createValueSequence, pseudoOutcome, type ValueSequence } from './experiments/sequences/doubly-robust.js'
export { sequenceBound, sequencePValue } from './experiments/sequences/sequence.js'
export { holdoutShare, isHeldOutOfSite } from './experiments/site-holdout.js'
export { endOf } from './experiments/stopping.js'
export { CATALOG_TAKES_EFFECT_MS, contentsOfVersion } from './explain/contents-of-version.js'
export { explainDecision } from './explain/explain-decision.js'
export type { ExplainedContent, ExplainedRecord, Explanation } from './explain/explanation.js'
export { chancesOfDraw, parseDraw } from './explain/parse-draw.js'
export { parseFacts } from './explain/parse-facts.js'
export { RECORD_COLUMNS, type RecordRow, recordOfRow } from './explain/record-of-row.js'
export { reproduce } from './explain/reproduce.js'
export {
  ALL_BUILT_IN_FEATURES,
  type AmountSums,
  amountPortions,
  BUILT_IN_CONTENT_FEATURES,
  BUILT_IN_FEATURES,
  type BuiltInFeature,
  builtInSince,
  CLICK_EVENTS,
  type CompileWhere,
  type ContentRow,
  type ContentValue,
  compileFeatures,
  contentValues,
  createAmountSums,
  createIsApproximate,
  DEFAULT_FEATURES,
  explainFeature,
  type Feature,
  type FeatureExplanation,
  type Features,
  type FeatureValue,
  featureAlone,
  featuresAfter,
  featureValues,
  mergeStates,
  shareLeft,
  versionOfFeature,
  withFormer,
} from './features/index.js'
export { type AboutPerson, aboutPerson } from './identity/about-person.js'
export { guardOfUser, joinedBrowsers, type SettledLink, settleBrowser } from './identity/links.js'
export { type Merge, mergeIdOf, mergesOf, pairsOf } from './identity/merges.js'
export { aliasOf, applyChanges } from './identity/name-users.js'
export { foldPerson, statesOfUser, userOfBrowser } from './identity/person.js'
export type { Telling } from './identity/told-messages.js'
export { verdictOf } from './identity/verdicts.js'
export { type ContentTotal, type ContentTotals, noContents, putContent } from './learning/contents/content-totals.js'
export {
  addOutcome,
  advance,
  type Epoch,
  type Epochs,
  emptyEpochs,
  LEARNING_HORIZON_MS,
  latestFirst,
  mergeEpochs,
} from './learning/epochs/epochs.js'
export { crossFacts, DIMENSION, featuresOf as learningFeaturesOf } from './learning/features/cross.js'
export type { ContentFacts } from './learning/features/facets.js'
export { packFeatures, unpackFeatures } from './learning/features/packed.js'
export { type LearningFacts, tokensOf } from './learning/features/tokens.js'
export { type Folded, foldEnvelope, type RecordRefusal } from './learning/fold/fold-envelope.js'
export { advanceLearned, type Learned, type LearnedSlot, nothingLearned, slotKey } from './learning/fold/learned.js'
export { noteMissed } from './learning/fold/missed.js'
export { noMessages, type TakenMessages, takeMessage } from './learning/fold/repeats.js'
export { addToGram, emptyGram, type Gram, gramOf, gramOfUsers, MAX_MODEL_ITEMS } from './learning/items/gram.js'
export {
  addItems,
  boundedItems,
  emptyItemCounts,
  type ItemCounts,
  MAX_ITEMS_PER_BROWSER,
  mergeItemCounts,
} from './learning/items/item-counts.js'
export { type ItemModel, scoreItem, scoreItems } from './learning/items/item-model.js'
export { chooseMemory } from './learning/model/memory.js'
export { type ModelOptions, readModel, type SlotModel } from './learning/model/slot-model.js'
export { type ParsedLearned, parseLearned } from './learning/stored/parse-learned.js'
export { type StreamPositions, writeLearned } from './learning/stored/write-learned.js'
export { MAX_REWARD, REWARD_SCALE, toFixedReward } from './learning/sums/fixed-point.js'
export { LOSS_STRATA } from './learning/sums/loss-strata.js'
export type { LearningOutcome } from './learning/sums/outcome.js'
export { isLikeBot } from './ledger/is-like-bot.js'
export type { Forward } from './ledger/ledger.js'
export { stoppedOf } from './ledger/stopped.js'
export { BUILTIN_PATTERNS, withBuiltinPatterns } from './patterns/builtin.js'
export { type CompiledSet, compilePatterns } from './patterns/compile.js'
export type { CompiledPatterns, Match } from './patterns/compiled.js'
export { DEFAULT_PATTERNS } from './patterns/default-patterns.js'
export { explainPattern, type PatternExplanation } from './patterns/explain.js'
export { firePatterns, type PatternOutcome, type PatternScope, stepPatterns } from './patterns/step.js'
export {
  type EligibleContent,
  ITEM_POLICIES,
  type ItemPolicy,
  type PersonFacts,
  type Proposal,
  type ProposalInput,
} from './policies/proposal.js'
export { propose } from './policies/propose.js'
export { covisitationModel } from './policies/ranking/covisitation.js'
export { easeModel } from './policies/ranking/ease.js'
export { knnModel } from './policies/ranking/knn.js'
export { ANONYMOUS_PROFILE_DAYS, hasEnded, isOfOneVisit } from './profile/anonymous-profiles.js'
export { applyAndDetect, applyEnvelope, applyToHistory } from './profile/apply.js'
export { profileOfLink, withIds } from './profile/apply-message.js'
export type { ApplyRules } from './profile/apply-rules.js'
export { type FilledProfile, fillProfile, isWhole, type ProfileFill } from './profile/features/fill-profile.js'
export { profileBytes } from './profile/profile-size.js'
export { namesOfSignals } from './profile/recent-signals.js'
export { CATALOG_AT, type CatalogRow, catalogOfRows, catalogTimes } from './replay/catalog-rows.js'
export {
  type ChangedDecision,
  createSlotComparer,
  type ReplayedDecision,
  type SlotComparer,
  type SlotComparison,
} from './replay/compare-slots.js'
export { type Again, decideAgain, type Way } from './replay/decide-again.js'
export { decideOtherwise, type Otherwise } from './replay/decide-otherwise.js'
export { type CandidateStanding, createTournament, type Standings, type Tournament } from './replay/tournament.js'
export { featureOf, readAttribute, type SegmentAttributes } from './segments/attributes.js'
export {
  type CompiledSegment,
  type CompiledSegments,
  compileSegments,
  featuresOf,
} from './segments/compile-segments.js'
export { compileWhere, type WhereOptions } from './segments/compile-where.js'
export { explainSegment, type SegmentExplanation } from './segments/explain.js'
export { type MemberChange, namesOfMembers, nextMembers, withoutMembers } from './segments/members/members.js'
export { nextSegmentChange } from './segments/members/next-change.js'
export { isWholePerson, type UserNews } from './segments/members/watch-segments.js'
export { changesOf, type PersonAttributes, type SegmentChanges, segmentsOf } from './segments/membership.js'
export { personAttributes } from './segments/person-attributes.js'
export { createPreview, mergePreviews, type Preview, type PreviewResult } from './segments/preview.js'
export { unknownName, type Vocabulary } from './segments/vocabulary.js'
export { type DetectorExplanation, explainDetector } from './signals/signal-explanation.js'
export { formerSignalIdOf, type HashText, idOfTexts, signalIdOf } from './signals/signal-id.js'
