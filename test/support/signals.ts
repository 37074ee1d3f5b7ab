import * as core from '@slotstream/core'
import { hashText } from '#aggregator/hash-text.js'

/** `applyAndDetect` of the core with the aggregator's hash. */
export const applyAndDetect = (
  profile: Parameters<typeof core.applyAndDetect>[0],
  envelope: Parameters<typeof core.applyAndDetect>[1],
  seq: number,
) => core.applyAndDetect(profile, envelope, seq, hashText)

/** `signalIdOf` of the core with the aggregator's hash. */
export const signalIdOf = (
  siteId: string,
  sender: Parameters<typeof core.signalIdOf>[1],
  visitorId: string,
  messageId: string,
  signal: string,
) => core.signalIdOf(siteId, sender, visitorId, messageId, signal, hashText)

/** `formerSignalIdOf` of the core with the aggregator's hash. */
export const formerSignalIdOf = (visitorId: string, messageId: string, signal: string) =>
  core.formerSignalIdOf(visitorId, messageId, signal, hashText)
