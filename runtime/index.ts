// The check of protocol, for those who import runtime alone.
export { isObject } from '@slotstream/protocol'
export { acquireOperatorLock } from './command/acquire-operator-lock.js'
// `Part` is the former name of `Service`, which aggregator/ still says.
export { type CommandDeps, runCommand, UsageError } from './command/run-command.js'
export { createDeadLetters, type StoreDeadLetter } from './installation/dead-letters.js'
export { type SharedSettings, sharedSettings } from './installation/environment.js'
export type { Buckets, Installation, PastPart } from './installation/installation.js'
export { createPrivacy, type Privacy } from './installation/keyed-hash.js'
export { changeLayout, KINDS, type Layout, readLayout, watchLayout } from './installation/layout.js'
export { openInstallation } from './installation/open-installation.js'
export { PROFILES_KEY, readGeneration, switchGeneration, watchGeneration } from './installation/profiles-generation.js'
export { provision } from './installation/provision.js'
export { answerStatus, gatherStatus } from './installation/status.js'
export { NO_TOMBSTONES, type Tombstones, watchTombstones, writeTombstones } from './installation/tombstones.js'
export { bucketEntries, bucketHistory, bucketKeys, type Revision } from './nats/buckets/bucket-keys.js'
export { hashOfChunks, readChunks, removeKeys } from './nats/buckets/chunks.js'
export { parseEntry, skipEntry, usableValue } from './nats/buckets/skipped-entries.js'
export { watchBucket } from './nats/buckets/watch-bucket.js'
export { jetStreamAnswers } from './nats/connection/jetstream-answers.js'
export { ignoreMissing, isJetStreamError } from './nats/connection/jetstream-errors.js'
export { connectNats, type Nats, type NatsServer } from './nats/connection/nats.js'
export {
  inboxPrefixOf,
  type KeptNatsUsers,
  NATS_USERS_FILE,
  type NatsAccess,
  natsAccess,
  OPERATOR,
  parseNatsUrl,
} from './nats/connection/nats-access.js'
export { PublishError, type PublishErrorCode } from './nats/publish/publish-error.js'
export { createPublisher, type Publisher } from './nats/publish/publisher.js'
export type { Stored } from './nats/publish/read-ack.js'
export { type Behind, measureLag } from './nats/streams/measure-lag.js'
export { readStream, type StreamReader } from './nats/streams/read-stream.js'
export { type ReadWholeOptions, readWhole } from './nats/streams/read-whole.js'
export { streamInfo } from './nats/streams/stream-info.js'
export { isPrivateHost, isPublicAddress } from './network/public-address.js'
export { MAX_ADDRESS_LENGTH, networkOf, normalizeAddress, siteOfIPv6 } from './process/addresses.js'
export { allowedHosts, createHostCheck, HOST_ADVICE, type HostCheck } from './process/host-check.js'
export { localFiles } from './process/local-files.js'
export { createLog, type Log } from './process/log.js'
export { createMetrics, type Metrics } from './process/metrics.js'
export { runProcess, type Service, type Service as Part } from './process/process.js'
export { type Pauses, pause, repeat, retryForever, retryUntilAborted, Stopped } from './process/retry.js'
export { createSlices } from './process/slices.js'
export { startStatusServer } from './process/status-server.js'
export { createTurns } from './process/turns.js'
export { VERSION } from './process/version.js'
export { within } from './process/within.js'
export * from './settings/index.js'
