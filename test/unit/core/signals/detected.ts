import type { EventEnvelope, Profile, SignalName, SignalRecord, StoredMessage } from '@slotstream/protocol'
import { applyAndDetect } from '../../../support/signals.js'

export const NOW = Date.UTC(2026, 0, 10, 12)
export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const DAY = 24 * 60 * MINUTE

let ids = 0

/** A message at a time, in milliseconds since the epoch. */
export function message(at: number, fields: Partial<StoredMessage> = {}): StoredMessage {
  const timestamp = new Date(at).toISOString()
  return { messageId: `m${ids++}`, type: 'track', event: 'Seen', anonymousId: 'v1', timestamp, ...fields }
}

export function envelope(messages: StoredMessage[]): EventEnvelope {
  return { siteId: 'shop', visitorId: 'v1', receivedAt: new Date(NOW).toISOString(), messages }
}

/**
 * What is detected in a visitor's messages, each a stream message of its own, each profile as the store gives it back.
 */
export function detected(messages: StoredMessage[], signal?: SignalName): SignalRecord[] {
  let profile: Profile | undefined
  const found: SignalRecord[] = []
  for (const [index, one] of messages.entries()) {
    const applied = applyAndDetect(profile, envelope([one]), index + 1)
    found.push(...applied.signals)
    profile = JSON.parse(JSON.stringify(applied.profile))
  }
  return signal ? found.filter(one => one.signal === signal) : found
}
