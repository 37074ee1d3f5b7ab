export type { Content, Policy, PrivacySignals, Site, Slot } from './catalog.js'
export {
  type Check,
  checkContent,
  checkSite,
  checkSlot,
  checkSlotsRequest,
  isIdentitySecret,
  isSecretKey,
} from './checks.js'
export {
  DEAD_LETTERS,
  type DeadLetter,
  type DeadLetterRole,
  deadLetterSubject,
  decodePayload,
  encodePayload,
  parseDeadLetter,
} from './dead-letters.js'
export { type Channel, DEFAULT_ENRICHMENT, DEFAULT_SCRUBBED, type Enrichment, enrichmentTrouble } from './enrichment.js'
export { ERROR_STATUS, type ErrorAnswer, type ErrorCode } from './errors.js'
export { type Arrival, finishMessage, idOf } from './finish-message.js'
export { hash32 } from './hash.js'
export { isObject } from './is-object.js'
export { isoTime } from './iso-time.js'
export { joined } from './joined.js'
export {
  EARLIEST_TIMESTAMP,
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
  MAX_SPREAD,
  MAX_TRAIT_VALUES,
  MAX_TRAITS_BYTES,
} from './limits.js'
export { memoryOf, memoryOfText } from './memory-of.js'
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
} from './messages.js'
export { namedInText } from './named-in-text.js'
export { openEnvelope } from './open-envelope.js'
export { parseEventEnvelope } from './parse-event-envelope.js'
export { parseDecisionEnvelope, parseRejectedEnvelope, parseSignalEnvelope } from './parse-other-envelopes.js'
export { parseProfile } from './parse-profile.js'
export { parseSite } from './parse-site.js'
export { isCount, isSiteId, isVisitorId, parseStored } from './parse-stored.js'
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
} from './people.js'
export type { Profile } from './profile.js'
export {
  MIN_RETENTION_DAYS,
  RETAINED_TABLES,
  type RetainedTable,
  type Retention,
  retentionTrouble,
} from './retention.js'
export { newestOfModels, parseSchemaVersion, type SchemaVersion, sortedVersions } from './schema-version.js'
export {
  type KeyKind,
  MAX_PUBLIC_AGE_MS,
  MAX_SECRET_KEYS,
  MAX_SECRET_LENGTH,
  MIN_SECRET_LENGTH,
  SENDERS,
  type Sender,
  senderOf,
} from './senders.js'
export { SIGNALS, type SignalEnvelope, type SignalMemory, type SignalName, type SignalRecord } from './signals.js'
export type {
  DecideReply,
  DecideRequest,
  DecisionReason,
  SlotDecision,
  SlotItem,
  SlotRequest,
  SlotsAnswer,
  SlotsRequest,
} from './slots.js'
export {
  type HotKey,
  type Lag,
  type ProcessReport,
  parseReport,
  type Sample,
  type Skew,
  STATUS_SUBJECT,
  type Trouble,
} from './status.js'
export {
  type Candidate,
  type DecisionEnvelope,
  type DecisionRecord,
  type EventEnvelope,
  OUTCOMES,
  type Outcome,
  type RejectedEnvelope,
  type RejectedMessage,
  type SentEnvelope,
  type StoredMessage,
} from './stored.js'
export {
  MAX_STREAMS,
  type PastStreams,
  POSITIONS_PER_STREAM,
  partOf,
  pastParts,
  type StreamPart,
  stores,
  streamParts,
} from './stream-parts.js'
export {
  BUCKETS,
  decideSubject,
  fromKeyToken,
  keyToken,
  profilesBucket,
  STREAMS,
  type StreamKind,
  streamSubject,
} from './subjects.js'
export { type CorrectedTime, correctTime, parseTime } from './times.js'
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
} from './tracking-plan.js'
export { uuidv7 } from './uuid.js'
export { type Checked, checkMessage } from './validate.js'
export { VIOLATION_CODES, type Violation, type ViolationCode } from './violations.js'
export {
  DEFAULT_PARTITIONS,
  isPersonKey,
  partitionOf,
  shareOf,
  spreadPartitionOf,
  visitorIdOf,
  visitorKeySql,
  visitorText,
} from './visitors.js'
