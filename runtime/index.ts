export { MAX_ADDRESS_LENGTH, networkOf, normalizeAddress, siteOfIPv6 } from './addresses.js'
export { bucketKeys } from './bucket-keys.js'
export { type Bury, createDeadLetters } from './dead-letters.js'
export { type SharedSettings, sharedSettings } from './environment.js'
export { allowedHosts, createHostCheck, HOST_ADVICE, type HostCheck } from './host-check.js'
export { jetStreamAnswers } from './jetstream-answers.js'
export { createPrivacy, type Privacy } from './keyed-hash.js'
export { changeLayout, KINDS, type Layout, readLayout, watchLayout } from './layout.js'
export { createLog, type Log } from './log.js'
export { type Behind, measureLag } from './measure-lag.js'
export { createMetrics, type Metrics } from './metrics.js'
export { connectNats, type Nats, type NatsServer } from './nats.js'
export {
  inboxPrefixOf,
  type KeptNatsUsers,
  NATS_USERS_FILE,
  type NatsAccess,
  natsAccess,
  OPERATOR,
  parseNatsUrl,
} from './nats-access.js'
export { type Part, runProcess } from './process.js'
export { PROFILES_KEY, readGeneration, switchGeneration, watchGeneration } from './profiles-generation.js'
export { type Buckets, type Installation, type PastPart, provision } from './provision.js'
export { createPublisher, PublishError, type PublishErrorCode, type Publisher, type Stored } from './publisher.js'
export { readStream, type StreamReader } from './read-stream.js'
export { neededSecret, SECRETS_FD, secretSetting } from './secrets.js'
export { ConfigurationError, neededSetting, numberSetting, textSetting } from './setting.js'
export { parseEntry, skipEntry, usableValue } from './skipped-entries.js'
export { answerStatus, gatherStatus } from './status.js'
export { startStatusServer } from './status-server.js'
export { NO_TOMBSTONES, type Tombstones, watchTombstones, writeTombstones } from './tombstones.js'
export { VERSION } from './version.js'
export { watchBucket } from './watch-bucket.js'
