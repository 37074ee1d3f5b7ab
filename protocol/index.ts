export { attributionTrouble, isAttribution } from './site/attribution.js'
export {
  checkContent,
  checkSlot,
  leftOverNames,
  strictContent,
  strictSlot,
} from './site/catalog/check-catalog.js'
export { CAP_FIELDS, CONTENT_FIELDS } from './site/catalog/content-fields.js'
export {
  checkDecisionTests,
  DECISION_TEST_FIELDS,
  type DecisionTest,
  EXPECT_FIELDS,
  GIVEN_FIELDS,
  LEAST_WITHIN_MS,
  MAX_DECISION_TESTS,
  MOST_WITHIN_MS,
  TESTED_OUTCOMES,
  TESTED_PERSON_FIELDS,
  type TestedPerson,
} from './site/catalog/decision-tests.js'
export {
  MAX_CATALOG_CONTENT,
  MAX_CATALOG_ITEM_BYTES,
  MAX_CATALOG_SLOTS,
  MAX_PAYLOAD_BYTES,
  MAX_REWARD_VALUE,
} from './site/catalog/limits.js'
export {
  CONTEXTUAL_DRAWS,
  ENSEMBLE_FIELDS,
  POLICY_FIELDS,
  POLICY_TYPES,
  type PolicyType,
  PRIOR_FIELDS,
} from './site/catalog/policy-fields.js'
export { type CatalogCheck, type CatalogField, type CatalogFields, unknownFieldLines } from './site/catalog/reading.js'
export {
  CAMPAIGN_FIELDS,
  EXPLORATION_FIELDS,
  REWARD_FIELDS,
  SLOT_FIELDS,
} from './site/catalog/slot-fields.js'
export {
  ATTRIBUTION_RULES,
  type Attribution,
  type AttributionRule,
  BOT_TREATMENTS,
  type BotTreatment,
  CAP_WINDOWS,
  type Campaign,
  type Content,
  DEFAULT_ATTRIBUTION,
  type FrequencyCap,
  type PrivacySignals,
  type Site,
  type SiteHoldout,
  type Slot,
} from './site/catalog.js'
export { checkSite, isIdentitySecret, isSecretKey } from './site/check-site.js'
export { featureFaults, MAX_EVENT_WEIGHT, MAX_SOURCE_EVENTS } from './site/definitions/check-feature.js'
export { patternFaults } from './site/definitions/check-pattern.js'
export { SEGMENT_FIELDS, segmentFaults } from './site/definitions/check-segment.js'
export {
  checkDefinitionForm,
  DEFINITION_KINDS,
  type DefinitionKind,
  type DefinitionSet,
  type Definitions,
  MAX_DEFINITION_BYTES,
  MAX_DEFINITIONS,
  NO_DEFINITIONS,
  parseDefinitions,
} from './site/definitions/definition-set.js'
export { parseDuration } from './site/definitions/duration.js'
export {
  type DefinitionCheck,
  type DefinitionField,
  shown,
  shownFaults,
  unknownFields,
} from './site/definitions/faults.js'
export {
  AGGREGATE_RULES,
  DEFAULT_FEATURE_KEYS,
  DERIVED_PATHS,
  ENTITIES,
  FEATURE_FIELDS,
  MAX_FEATURE_KEYS,
} from './site/definitions/feature-fields.js'
export {
  AGGREGATES,
  type AggregateName,
  type DeclaredFeature,
  type FeatureDefinition,
  type FeatureOff,
  type FeatureSource,
  isFeatureOff,
} from './site/definitions/features.js'
export { isDefinitionName } from './site/definitions/name.js'
export {
  ABSENCE_FIELDS,
  COMMON_FIELDS,
  KIND_FIELDS,
  STEP_FIELDS,
} from './site/definitions/pattern-fields.js'
export {
  type ChangePattern,
  type CountPattern,
  type DeclaredPattern,
  MAX_PATTERN_COUNT,
  MAX_PATTERN_NOTS,
  MAX_PATTERN_STEPS,
  MAX_PATTERN_SUM,
  PATTERN_ENTITIES,
  PATTERN_KINDS,
  type PatternAbsence,
  type PatternDefinition,
  type PatternEntity,
  type PatternEvent,
  type PatternKind,
  type PatternStep,
  patternKindOf,
  type ReturnPattern,
  type SequencePattern,
  type SumPattern,
} from './site/definitions/patterns.js'
export type { SegmentDefinition } from './site/definitions/segments.js'
export {
  type Channel,
  COLLECTOR_PAGE_PATHS,
  COLLECTOR_PATHS,
  DEFAULT_ENRICHMENT,
  DEFAULT_SCRUBBED,
  type Enrichment,
  enrichmentTrouble,
} from './site/enrichment.js'
export { armsInPlay } from './site/experiments/arms-in-play.js'
export { checkExperiments, parseExperiments } from './site/experiments/check-experiments.js'
export {
  type Experiment,
  type ExperimentArm,
  type ExperimentSet,
  type Guardrail,
  type GuardrailDirection,
  MAX_ARMS,
  MAX_EXPERIMENT_BYTES,
  MAX_EXPERIMENTS,
  MAX_METRICS,
  METRIC_SENDERS,
  type Metric,
  type MetricDetails,
  metricDetails,
  NO_EXPERIMENTS,
  STOP_ACTIONS,
  STOP_REASONS,
  type StopAction,
  type StoppedExperiment,
  type StopReason,
  type StopRules,
} from './site/experiments/experiment.js'
export {
  ARM_FIELDS,
  EXPERIMENT_FIELDS,
  GUARDRAIL_FIELDS,
  METRIC_FIELDS,
  STOP_FIELDS,
  STOPPED_FIELDS,
} from './site/experiments/experiment-fields.js'
export {
  DEFAULT_CLICK_MINUTES,
  TOURNAMENT_ACTIONS,
  TOURNAMENT_STEPS,
  type TournamentAction,
  type TournamentRules,
  type TournamentStep,
} from './site/experiments/tournament.js'
export { TOURNAMENT_FIELDS, TOURNAMENT_STEP_FIELDS } from './site/experiments/tournament-fields.js'
export { parseSite } from './site/parse-site.js'
export { DEFAULT_EXPLORATION, type LearningPolicy, type Policy, type PolicySpec } from './site/policies.js'
export {
  DEFAULT_PREVIEW_VALIDITY,
  MAX_PREVIEW_TOKEN_LENGTH,
  MAX_PREVIEW_VALIDITY,
  PREVIEW_PARAMETER,
  type PreviewLink,
} from './site/preview-links.js'
export {
  MIN_RETENTION_DAYS,
  RETAINED_TABLES,
  type RetainedTable,
  type Retention,
  retentionTrouble,
} from './site/retention.js'
export { type CountFrom, DEFAULT_REWARDS, REWARD_SENDERS, type Reward, type RewardSender } from './site/rewards.js'
export { newestOfModels, parseSchemaVersion, type SchemaVersion, sortedVersions } from './site/schema-version.js'
export { MAX_SIGNALS, SEGMENT_SIGNALS, type SegmentSignal, SIGNALS, type SignalName } from './site/signals.js'
export {
  MAX_PLAN_BYTES,
  MAX_PLAN_SCHEMAS,
  MAX_SCHEMA_BYTES,
  NO_PLAN,
  OWN_EVENTS,
  PLAN_MODES,
  PLANNED_CALLS,
  type PlanMode,
  type PlanSchemas,
  plannedName,
  type TrackingPlan,
} from './site/tracking-plan.js'
export {
  BUILT_IN_KEY,
  parseStoredBuiltIn,
  type StoredBuiltIn,
  type StoredBuiltInFeature,
} from './stream/built-in-features.js'
export {
  type CatalogPublished,
  catalogPublishedKey,
  isCatalogPublishedKey,
  parseCatalogPublished,
} from './stream/catalog-published.js'
export {
  type ContentFill,
  type ContentFills,
  contentFillsKey,
  isInFill,
  parseContentFills,
} from './stream/content-fills.js'
export {
  DEAD_LETTERS,
  type DeadLetter,
  type DeadLetterRole,
  deadLetterSubject,
  decodePayload,
  encodePayload,
  parseDeadLetter,
} from './stream/dead-letters.js'
export {
  definitionsKey,
  parseDefinitionsKey,
  parseStoredDefinitions,
  type StoredDefinitions,
} from './stream/definitions.js'
export { finishMessage } from './stream/envelopes/finish-message.js'
export { openEnvelope } from './stream/envelopes/open-envelope.js'
export { parseEventEnvelope } from './stream/envelopes/parse-event-envelope.js'
export {
  parseDecisionEnvelope,
  parseRejectedEnvelope,
  parseSignalEnvelope,
} from './stream/envelopes/parse-other-envelopes.js'
export {
  type DrawVersion,
  EXCLUSION_LETTERS,
  type ExclusionReason,
  type PackedLottery,
  type RecordedDraw,
  type RecordedFacts,
  type RecordedModel,
  type RecordedStage,
} from './stream/envelopes/recorded-draw.js'
export type {
  Candidate,
  DecisionEnvelope,
  DecisionRecord,
  EventEnvelope,
  Excluded,
  Hearsay,
  RejectedEnvelope,
  RejectedMessage,
  SentEnvelope,
  StoredMessage,
} from './stream/envelopes/stored.js'
export { experimentsKey, parseStoredExperiments, siteOfExperimentsKey } from './stream/experiments.js'
export { type FilledRevisions, filledEverywhere, parseFilledRevisions } from './stream/filled-revisions.js'
export { HASH_BEGIN, hash32, hashEnd, hashMore } from './stream/hash.js'
export { joined } from './stream/joined.js'
export { isPackedFeatures, isServedDecisions } from './stream/learning/check-served.js'
export { type Earning, type KeptDecision, type KeptItem, MAX_KEPT_DECISIONS } from './stream/learning/kept-decision.js'
export {
  type ContentAmounts,
  contentFill,
  contentPart,
  contentsRecordId,
  isOfFill,
  isOfPart,
  type LearningEnvelope,
  type LearningRecord,
  learningRecordId,
} from './stream/learning/learning-records.js'
export { parseLearningEnvelope } from './stream/learning/parse-learning-envelope.js'
export type { PackedFeatures, ServedDecision, ServedItem } from './stream/learning/served.js'
export { memoryOf, memoryOfText } from './stream/memory-of.js'
export {
  BUCKETS,
  bucketOfStream,
  bucketStream,
  COLLECTOR_BUCKETS,
  generationOf,
  isKeySubject,
  keyOfSubject,
  keySubject,
  profilesBucket,
} from './stream/names/buckets.js'
export { filledKey, parseFilledKey } from './stream/names/filled-keys.js'
export { fromKeyToken, keyToken } from './stream/names/key-token.js'
export {
  AUDITED_KEY,
  auditKey,
  checkpointKey,
  LEARNED_KEY,
  nightKey,
  standingsKey,
  sweptKey,
  warehousePositionKey,
  webhookPositionKey,
} from './stream/names/position-keys.js'
export {
  MAX_STREAMS,
  type PastStreams,
  POSITIONS_PER_STREAM,
  partOf,
  pastParts,
  type StreamPart,
  stores,
  streamParts,
} from './stream/names/stream-parts.js'
export {
  contentSubject,
  decideSubject,
  previewSubject,
  profilesSubject,
  STREAMS,
  type StreamKind,
  streamSubject,
  webhookSubject,
} from './stream/names/subjects.js'
export { namedInText } from './stream/people/named-in-text.js'
export {
  allIdsOf,
  belongsTo,
  EXPORT_ALIVE_MS,
  EXPORT_HEADER,
  EXPORT_SUBJECT,
  type ExportRequest,
  type ForgetRequest,
  forgetSubject,
  type IdKind,
  isForgotten,
  isProfileForgotten,
  JOB_STEPS,
  type JobStep,
  joinTombstones,
  type KeyedHash,
  type NamedIds,
  namedIn,
  type Person,
  type PersonJob,
  profileKey,
  TOMBSTONE_DAYS,
  type Tombstone,
  tombstoneKey,
  visitorsOf,
} from './stream/people/people.js'
export type {
  FeatureCell,
  FeatureCells,
  FeatureRow,
  FeatureSlots,
  FeatureState,
  FeatureStates,
  Narrowed,
  Visit,
} from './stream/profile/feature-states.js'
export {
  type IdentityChange,
  isIdentityChange,
  LINK_STATES,
  type Link,
  type LinkDecision,
  type LinkState,
  type Links,
  type LinkVerdict,
} from './stream/profile/identity.js'
export { parseProfile } from './stream/profile/parse-profile.js'
export {
  type PatternFact,
  type PatternHit,
  type PatternRefuter,
  type PatternRun,
  type PatternState,
  type PatternStates,
  type PatternWindow,
  parsePatternStates,
} from './stream/profile/pattern-states.js'
export type { EndingEvent, Profile, ShownContent } from './stream/profile/profile.js'
export type { Members, SegmentNews } from './stream/profile/segment-news.js'
export type { InterestMemory, SignalEnvelope, SignalMemory, SignalRecord } from './stream/profile/signals.js'
export type { ContentFeaturesReply, ContentFeaturesRequest } from './stream/requests/content-features.js'
export {
  CONTENTS_THEN_SUBJECT,
  type ContentsThenReply,
  type ContentsThenRequest,
} from './stream/requests/contents-then.js'
export type { DecideReply, DecideRequest } from './stream/requests/decide.js'
export { MAX_PREVIEW_BYTES, type PreviewReply, type PreviewRequest } from './stream/requests/preview.js'
export {
  type LinkedVisitor,
  MAX_PROFILES_READ,
  type ProfilesReply,
  type ProfilesRequest,
  type ProfilesView,
} from './stream/requests/profiles.js'
export { RECORD_SUBJECT, type RecordReply, type RecordRequest } from './stream/requests/record.js'
export {
  parseResultsRequest,
  RESULTS_SUBJECT,
  type ResultsReply,
  type ResultsRequest,
  type TrafficReply,
} from './stream/requests/results.js'
export { recordHead, type Undecided, unansweredDecisions, undecided } from './stream/requests/unanswered.js'
export {
  DEFAULT_VALUE_CHANGES,
  MAX_VALUE_CHANGES,
  VALUE_HISTORY_SUBJECT,
  type ValueChange,
  type ValueHistory,
  type ValueHistoryReply,
  type ValueHistoryRequest,
} from './stream/requests/value-history.js'
export {
  MAX_DELIVERIES_TOLD,
  type WebhookDelivery,
  type WebhookReply,
  type WebhookRequest,
} from './stream/requests/webhooks.js'
export {
  type HotKey,
  type Lag,
  type ProcessReport,
  parseReport,
  type Sample,
  type Skew,
  STATUS_SUBJECT,
  type Trouble,
} from './stream/status.js'
export {
  DEFAULT_PARTITIONS,
  idsOfVisitor,
  isPersonKey,
  partitionOf,
  shareOf,
  spreadPartitionOf,
  unitKeySql,
  visitorIdOf,
  visitorKeySql,
  visitorText,
} from './stream/visitors.js'
export {
  DELIVERY_OUTCOMES,
  type DeliveryEnvelope,
  type DeliveryOutcome,
  type DeliveryRecord,
  parseDeliveryEnvelope,
} from './stream/webhooks/deliveries.js'
export { letterKey, parseWebhookLetter, type WebhookLetter } from './stream/webhooks/letters.js'
export {
  isWebhookId,
  MAX_WEBHOOK_URL_BYTES,
  MAX_WEBHOOKS,
  parseStoredWebhook,
  type StoredWebhook,
  webhookKey,
} from './stream/webhooks/stored-webhook.js'
export { byteLength } from './wire/byte-length.js'
export type { Check } from './wire/checks/check.js'
export { checkSlotsRequest } from './wire/checks/check-slots-request.js'
export { isObject } from './wire/checks/is-object.js'
export { editDistance, nearest } from './wire/checks/nearest.js'
export { parseJson } from './wire/checks/parse-json.js'
export {
  isAbsentOr,
  isCount,
  isId,
  isListOf,
  isSiteId,
  isText,
  isVisitorId,
  parseStored,
} from './wire/checks/parse-stored.js'
export { type Checked, checkMessage } from './wire/checks/validate.js'
export { ERROR_STATUS, type ErrorAnswer, type ErrorCode } from './wire/errors.js'
export {
  digitsOf,
  hasDigits,
  INTEGER_MARK,
  isMarkedNumber,
  markIntegers,
  parseExact,
  takeDigitsOfIds,
  withDigits,
} from './wire/exact-integers.js'
export { idOf } from './wire/ids/id-of.js'
export { isMeaningful, NO_ID } from './wire/ids/ids.js'
export { createUuidv7Maker, timeOfUuidv7, uuidv7 } from './wire/ids/uuid.js'
export {
  EARLIEST_TIMESTAMP,
  MAX_ATTRIBUTION_HOURS,
  MAX_BATCH_BYTES,
  MAX_BATCH_MESSAGES,
  MAX_DEPTH,
  MAX_FUTURE_MS,
  MAX_ITEMS,
  MAX_KEY_LENGTH,
  MAX_KEYS,
  MAX_MESSAGE_BYTES,
  MAX_NAME_LENGTH,
  MAX_REPLAYED,
  MAX_SLOTS,
  MAX_SLOTS_BATCHES,
  MAX_SPREAD,
  MAX_TRAIT_VALUES,
  MAX_TRAITS_BYTES,
} from './wire/limits.js'
export { createMemo } from './wire/memo.js'
export {
  type Batch,
  type BatchAnswer,
  type Json,
  type JsonObject,
  type Ledger,
  MESSAGE_TYPES,
  type Message,
  type MessageContext,
  type MessageType,
  type PrivacySignal,
  REJECTION_CODES,
  type Rejection,
  type RejectionCode,
} from './wire/messages.js'
export {
  type KeyKind,
  MAX_PUBLIC_AGE_MS,
  MAX_SECRET_KEYS,
  MAX_SECRET_LENGTH,
  MIN_SECRET_LENGTH,
  SENDERS,
  type Sender,
  senderOf,
} from './wire/senders.js'
export type {
  DecisionReason,
  SlotDecision,
  SlotItem,
  SlotRequest,
  SlotsAnswer,
  SlotsRequest,
} from './wire/slots.js'
export { OUTCOMES, type Outcome } from './wire/slots.js'
export { isoTime } from './wire/times/iso-time.js'
export type { ReceiptTimes } from './wire/times/receipt-times.js'
export { timeOfRow } from './wire/times/time-of-row.js'
export { type CorrectedTime, correctTime, parseTime } from './wire/times/times.js'
export { VIOLATION_CODES, type Violation, type ViolationCode } from './wire/violations.js'
