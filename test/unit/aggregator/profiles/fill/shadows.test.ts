import { applyEnvelope, compileFeatures, featuresAfter, type ProfileFill, profileBytes } from '@slotstream/core'
import type { EventEnvelope, Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { NO_PATTERNS } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { createShadows, HASHES, type ShadowsDeps } from '#aggregator/profiles/fill/shadows.js'

const SITE = 'shop'
const VISITORS = 40
const MESSAGES = 400
const START = Date.UTC(2026, 0, 1)
const DAY_MS = 24 * 3600_000

const SEEN = { name: 'seen', source: { event: 'Viewed' }, by: 'properties.category', aggregate: 'count' } as const
const features = compileFeatures([], [SEEN], () => () => true, 3)

function fillOf(from = 0): ProfileFill {
  return { features, counted: featuresAfter(features, 0), from, fromTime: from, through: MESSAGES }
}

function envelopeOf(seq: number, dayMs = 0): EventEnvelope {
  const visitorId = `v${seq % VISITORS}`
  const timestamp = new Date(START + seq * 1_000 + dayMs).toISOString()
  const message = {
    messageId: `m${seq}`,
    type: 'track' as const,
    event: 'Viewed',
    anonymousId: visitorId,
    timestamp,
    properties: { category: `c${seq % 7}` },
  }
  return { siteId: SITE, visitorId, receivedAt: timestamp, messages: [message] }
}

const seqs = Array.from({ length: MESSAGES }, (_, n) => n + 1)
const rules = { features, patterns: NO_PATTERNS, anonymousDays: 0, onlyFeatures: true }

function profileThrough(visitorId: string, through: number): Profile | undefined {
  return seqs
    .filter(seq => seq <= through && envelopeOf(seq).visitorId === visitorId)
    .reduce<Profile | undefined>((profile, seq) => applyEnvelope(profile, envelopeOf(seq), seq, rules), undefined)
}

function depsOf(more: Partial<ShadowsDeps> = {}): ShadowsDeps {
  return {
    fills: new Map([[SITE, fillOf()]]),
    maxBytes: Number.POSITIVE_INFINITY,
    low: 0,
    boundsOf: () => [],
    anonymousDays: 0,
    isOlder: async () => false,
    ...more,
  }
}

describe('counting history beside the profiles', () => {
  it('takes as many passes as fit into memory, each visitor in one of them, with all messages', async () => {
    const maxBytes = 5 * profileBytes(profileThrough('v1', MESSAGES)!)
    const found = new Map<string, Profile | undefined>()
    let passes = 0
    for (let low = 0; low < HASHES; passes++) {
      const shadows = createShadows(depsOf({ maxBytes, low }))
      for (const seq of seqs) await shadows.add(envelopeOf(seq), seq)
      const ofPass = shadows.finish()
      // What a visitor weighs is looked at now and then.
      expect(ofPass.length).toBeLessThanOrEqual(8)
      for (const { visitorId, at } of ofPass) {
        expect(found.has(visitorId)).toBe(false)
        found.set(visitorId, at.get(MESSAGES))
      }
      low = shadows.high
    }
    expect(passes).toBeGreaterThan(4)
    expect(found.size).toBe(VISITORS)
    for (const [visitorId, profile] of found) expect(profile).toEqual(profileThrough(visitorId, MESSAGES))
  })

  it('goes on with one visitor that is larger than all that is allowed', () => {
    const shadows = createShadows(depsOf({ maxBytes: 1 }))
    for (const seq of seqs) void shadows.add(envelopeOf(seq), seq)
    expect(shadows.finish()).toHaveLength(1)
    expect(shadows.high).toBeLessThan(HASHES)
  })

  it('keeps what there was at the sequences that are asked for', () => {
    const bounds = [0, 81, 200]
    const shadows = createShadows(depsOf({ boundsOf: key => (key.endsWith('v1') ? bounds : undefined) }))
    for (const seq of seqs) void shadows.add(envelopeOf(seq), seq)
    const [shadow, ...others] = shadows.finish()
    expect(others).toEqual([])
    expect([...shadow!.at.keys()].sort((a, b) => a - b)).toEqual([...bounds, MESSAGES])
    for (const [through, profile] of shadow!.at) expect(profile).toEqual(profileThrough('v1', through))
  })

  it('leaves out other sites, and messages that cannot be applied', async () => {
    const shadows = createShadows(depsOf())
    await shadows.add({ ...envelopeOf(1), siteId: 'other' }, 1)
    await shadows.add(envelopeOf(1), 1)
    const { messages, ...envelope } = envelopeOf(41)
    await shadows.add({ ...envelope, messages: [{ ...messages[0]!, timestamp: 'never' }] }, 41)
    const [shadow, ...others] = shadows.finish()
    expect(others).toEqual([])
    expect(shadow!.at.get(MESSAGES)).toMatchObject({ visitorId: 'v1', events: 1 })
  })

  it.each([
    ['ends a profile after its days', 0, false, 1],
    ['ends it where the profile began within the messages that are left', 5, false, 1],
    ['goes on with one that is older than the messages that are left', 5, true, 2],
  ])('%s', async (_name, from, isOlder, events) => {
    const asked: string[] = []
    const shadows = createShadows(
      depsOf({
        fills: new Map([[SITE, fillOf(from)]]),
        anonymousDays: 30,
        async isOlder(_siteId, visitorId) {
          asked.push(visitorId)
          return isOlder
        },
      }),
    )
    await shadows.add(envelopeOf(1), 1)
    await shadows.add(envelopeOf(41, 31 * DAY_MS), 41)
    expect(shadows.finish()[0]!.at.get(MESSAGES)).toMatchObject({ events })
    expect(asked).toEqual(from === 0 ? [] : ['v1'])
  })
})
