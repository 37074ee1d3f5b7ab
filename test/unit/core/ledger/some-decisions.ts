import type { Forward } from '@slotstream/core'
import type { EventEnvelope, LearningRecord, Profile, ServedDecision, StoredMessage } from '@slotstream/protocol'
import { applyAndDetect } from '#core/profile/apply.js'
import type { ApplyRules } from '#core/profile/apply-rules.js'

export const NOON = Date.UTC(2026, 10, 1, 12)
export const SECOND = 1_000
export const HOUR = 3_600_000

/** A decision of two items, made at noon. */
export function decision(fields: Partial<ServedDecision> = {}): ServedDecision {
  return {
    decisionId: 'd1',
    slotId: 'hero',
    at: NOON,
    sessionId: 's1',
    items: [
      { contentId: 'tent', position: 1 },
      { contentId: 'boots', position: 2 },
    ],
    ...fields,
  }
}

let ids = 0
/** A track message some milliseconds after noon. */
export function track(event: string, afterMs: number, properties: StoredMessage['properties'] = {}): StoredMessage {
  const timestamp = new Date(NOON + afterMs).toISOString()
  return { messageId: `m${ids++}`, type: 'track', event, anonymousId: 'v1', timestamp, properties }
}

export const view = (afterMs: number, contentId = 'tent', decisionId = 'd1') =>
  track('Slot Viewed', afterMs, { slotId: 'hero', decisionId, contentId })
export const click = (afterMs: number, contentId = 'tent', decisionId = 'd1') =>
  track('Slot Clicked', afterMs, { slotId: 'hero', decisionId, contentId })

/** One visitor's stream, applied from its beginning. Stored as JSON between messages, as the store has it. */
export function createVisitor(rules?: ApplyRules, visitorId = 'v1', from?: Profile) {
  let profile = from
  let seq = from?.seq ?? 0
  const records: LearningRecord[] = []
  let forward: Forward | undefined
  function apply(fields: Partial<EventEnvelope>, receivedAt = NOON + 12 * HOUR): LearningRecord[] {
    seq++
    const envelope: EventEnvelope = {
      siteId: 'shop',
      visitorId,
      receivedAt: new Date(receivedAt).toISOString(),
      messages: [],
      ...fields,
    }
    const applied = applyAndDetect(profile, envelope, seq, text => text, rules)
    profile = applied.profile && JSON.parse(JSON.stringify(applied.profile))
    records.push(...(applied.learning ?? []))
    forward = applied.forward
    return applied.learning ?? []
  }
  return {
    apply,
    serve: (...served: ServedDecision[]) => apply({ served }, NOON),
    send: (...messages: StoredMessage[]) => apply({ messages }),
    sendAt: (receivedAt: number, ...messages: StoredMessage[]) => apply({ messages }, receivedAt),
    records,
    /** What the user's browsers are told after the latest envelope. */
    get forward() {
      return forward
    },
    get profile() {
      return profile!
    },
    /** What policies hold of each item, by decision and content: the sum of all records. */
    get sums() {
      return sumsOf(records)
    },
  }
}

/** Adds records up. Throws where a step does not begin where the one before ended. */
export function sumsOf(records: readonly LearningRecord[]): Record<string, number> {
  const sums: Record<string, number> = {}
  const strata: Record<string, number | undefined> = {}
  for (const { decisionId, contentId, reward, previous, stratum, previousStratum } of records) {
    const key = `${decisionId} ${contentId}`
    if (sums[key] !== previous) throw new Error(`${key} was ${sums[key]}, not ${previous}`)
    if (strata[key] !== previousStratum) throw new Error(`${key} was in ${strata[key]}, not ${previousStratum}`)
    sums[key] = reward
    strata[key] = stratum
  }
  return Object.fromEntries(Object.entries(sums).sort())
}
