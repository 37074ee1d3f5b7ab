import {
  type ApplyRules,
  aliasOf,
  applyEnvelope,
  type Features,
  featureValues,
  foldPerson,
  statesOfUser,
} from '@slotstream/core'
import { type IdentityChange, type Json, type Profile, type ValueChange, visitorIdOf } from '@slotstream/protocol'
import { type EventRow, envelopeOf } from '../clickhouse/event-rows.js'
import { changedParts } from './changed-parts.js'

/** A row of `events` with its position in the stream. */
export interface PlacedRow extends EventRow {
  position: number
}

/** Identifies a value, by site, user and feature, with the facts that its changes are computed by. */
export interface Traced {
  siteId: string
  userId: string
  feature: string
  /** Features of the site with that one alone. */
  features: Features
  /** Decisions about the person's browsers, which rows do not have. */
  decided: readonly IdentityChange[]
  anonymousDays: number
}

/** The changes of one value while rows are added in the order of the stream. */
export interface ValueTrace {
  /** Adds a row. Returns the change that it made; undefined: none. */
  add(row: PlacedRow): ValueChange | undefined
}

/**
 * Begins to follow the value of a feature of a person with the reducer that serves it. Pure. The value before and after
 * a message is taken at one time, so that a change is the message's, and not the passing of a window.
 */
export function traceValue({ siteId, userId, feature, features, decided, anonymousDays }: Traced): ValueTrace {
  const rules: ApplyRules = { features, anonymousDays, onlyFeatures: true }
  const profiles = new Map<string, Profile>()
  let now = 0
  let count = 0
  for (const change of decided) tellBrowser(change, new Date(change.decision?.at ?? 0).toISOString())

  function tellBrowser(change: IdentityChange, receivedAt: string): void {
    const visitorId = visitorIdOf({ anonymousId: change.anonymousId })
    apply(visitorId, { siteId, visitorId, receivedAt, identity: [change], messages: [] })
  }

  function apply(visitorId: string, envelope: Parameters<typeof applyEnvelope>[1]): void {
    const profile = applyEnvelope(profiles.get(visitorId), envelope, ++count, rules)
    if (profile) profiles.set(visitorId, profile)
  }

  function valueAt(at: number): Json {
    const states = [...profiles.values()].map(profile => statesOfUser(profile, userId, features))
    return featureValues(foldPerson(states, features), features, at).get(feature)?.value ?? null
  }

  return {
    add(row) {
      const envelope = envelopeOf([row])
      // A late message counts where its own time falls; the value is one of the present.
      now = Math.max(now, Date.parse(row.timestamp))
      const before = valueAt(now)
      apply(envelope.visitorId, envelope)
      const alias = row.sender === 'unsigned' ? undefined : aliasOf(envelope.messages[0]!, Date.parse(row.timestamp))
      if (alias) tellBrowser(alias, row.received_at)
      const changed = changedParts(before, valueAt(now))
      return (
        changed && {
          at: row.timestamp,
          messageId: row.message_id,
          type: row.type,
          ...(row.event && { event: row.event }),
          anonymousId: row.anonymous_id,
          userId: row.user_id,
          position: row.position,
          ...changed,
        }
      )
    },
  }
}
