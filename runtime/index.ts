export { type Bury, createDeadLetters } from './dead-letters.js'
export {
  ConfigurationError,
  neededSetting,
  numberSetting,
  type SharedSettings,
  sharedSettings,
  textSetting,
} from './environment.js'
export { jetStreamAnswers } from './jetstream-answers.js'
export { createPrivacy, type Privacy } from './keyed-hash.js'
export { changeLayout, KINDS, type Layout, readLayout, watchLayout } from './layout.js'
export { createLog, type Log } from './log.js'
export { type Behind, measureLag } from './measure-lag.js'
export { createMetrics, type Metrics } from './metrics.js'
export { connectNats, type Nats } from './nats.js'
export { type Part, runProcess } from './process.js'
export { PROFILES_KEY, readGeneration, switchGeneration, watchGeneration } from './profiles-generation.js'
export { type Buckets, type Installation, type PastPart, provision } from './provision.js'
export { createPublisher, PublishError, type PublishErrorCode, type Publisher, type Stored } from './publisher.js'
export { readStream, type StreamReader } from './read-stream.js'
export { answerStatus, gatherStatus } from './status.js'
export { startStatusServer } from './status-server.js'
export { NO_TOMBSTONES, type Tombstones, watchTombstones, writeTombstones } from './tombstones.js'
export { VERSION } from './version.js'
export { watchBucket } from './watch-bucket.js'
