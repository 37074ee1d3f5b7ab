import { compileFeatures, featureValues } from '@slotstream/core'
import type { EventEnvelope, FeatureDefinition, Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import type { EventRow } from '#aggregator/clickhouse/event-rows.js'
import { type MessageRows, recompute } from '#aggregator/parity/recompute.js'
import { idOfKey } from '#aggregator/parity/visitor-rows.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { visitorIdOf } from '#protocol/stream/visitors.js'

const AT = Date.UTC(2026, 0, 1)
const SEEN: FeatureDefinition = { name: 'seen', source: { event: 'Seen' }, aggregate: 'count' }
const LATER: FeatureDefinition = { name: 'later', source: { event: 'Seen' }, aggregate: 'count' }
const compile = (definitions: FeatureDefinition[], revision: number, addedIn: Record<string, number> = {}) =>
  compileFeatures([], definitions, () => () => true, revision, addedIn)

const row = (n: number, fields: Partial<EventRow> = {}): EventRow => ({
  site_id: 'shop',
  message_id: `m${n}`,
  type: 'track',
  event: 'Seen',
  anonymous_id: 'v1',
  user_id: '',
  session_id: '',
  timestamp: new Date(AT + n).toISOString(),
  received_at: new Date(AT + n).toISOString(),
  properties: {},
  traits: {},
  ...fields,
})

const envelope = (n: number): EventEnvelope => ({
  siteId: 'shop',
  visitorId: 'v1',
  receivedAt: new Date(AT + n).toISOString(),
  messages: [
    { messageId: `m${n}`, type: 'track', event: 'Seen', anonymousId: 'v1', timestamp: new Date(AT + n).toISOString() },
  ],
})

const values = (profile: Profile | undefined, features = compile([SEEN, LATER], 2, { seen: 1 })) =>
  Object.fromEntries([...featureValues(profile!.features!, features, AT)].map(([name, { value }]) => [name, value]))

describe('a profile that is computed again', () => {
  it('counts a feature from where the stored one does', () => {
    const before = compile([SEEN], 1)
    const after = compile([SEEN, LATER], 2, { seen: 1 })
    let stored: Profile | undefined
    for (let seq = 1; seq <= 10; seq++)
      stored = applyEnvelope(stored, envelope(seq), seq, { features: seq <= 4 ? before : after })
    const again = recompute(stored, { features: after }, seq => 1_000 + seq)
    for (let seq = 1; seq <= 10; seq++) again.add(1_000 + seq, [row(seq)])
    expect(values(again.finish())).toEqual({ seen: 10, later: 6 })
    expect(values(again.finish())).toEqual(values(stored))
  })

  it('knows a message that came twice in one envelope, and takes no profile of no rows', () => {
    const rows: MessageRows = [row(1), row(2), row(1)]
    const features = compile([SEEN], 1)
    const again = recompute(undefined, { features }, seq => seq)
    expect(again.finish()).toBeUndefined()
    again.add(7, rows)
    expect(values(again.finish(), features)).toEqual({ seen: 2 })
  })
})

describe('a visitor’s key', () => {
  it.each([
    { anonymousId: 'v1' },
    { anonymousId: 'user:v1' },
    { anonymousId: 'visitor:user:v1' },
    { userId: 'ann' },
    { userId: 'user:ann' },
  ])('says what it was made of: %o', id => {
    expect(idOfKey(visitorIdOf(id))).toEqual(id)
  })
})
