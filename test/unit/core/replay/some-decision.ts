import type { Content, DecisionRecord, Profile, Slot } from '@slotstream/protocol'
import { createClauses } from '#core/catalog/clauses.js'
import { type CompiledSlot, compileSlot } from '#core/catalog/compile-slot.js'
import { decide } from '#core/decide/decide.js'
import { personOfProfile } from '#core/decide/person.js'
import { recordedFacts } from '#core/decide/record/record-facts.js'
import { situationOf } from '#core/decide/situation.js'

export const NOW = Date.UTC(2026, 5, 1, 12)
export const SITE = 'shop'

/** Who asks, and how. */
export interface SomeRequest {
  visitorId?: string
  context?: Record<string, unknown>
  profile?: Partial<Profile>
  decisions?: Profile['decisions']
  stopped?: string[]
  shownBefore?: string[]
  count?: number
  seed?: string
  /** Whether the visitor is held out. Default: by the holdout of the slot. */
  heldOut?: boolean
  /** Whether the holdout of the site has the visitor, and the record says so. Default: no */
  isHeldOutOfSite?: boolean
}

/** Compiles a slot, as it is when its content is what is given. */
export function slotOf(slot: Partial<Slot>, contents: (Partial<Content> & { id: string })[]): CompiledSlot {
  const all = contents.map(content => ({ category: 'c', slots: ['hero'], payload: {}, ...content }) as Content)
  return compileSlot({ id: 'hero', count: 1, holdout: 0, ...slot } as Slot, all, createClauses())
}

/** Decides as the product does, and returns the record of it. */
export function recordOf(slot: CompiledSlot, request: SomeRequest = {}): DecisionRecord {
  const {
    visitorId = 'v',
    context = {},
    seed = 'seed',
    count,
    shownBefore = [],
    decisions,
    stopped,
    isHeldOutOfSite = false,
  } = request
  const heldOut = request.heldOut ?? (isHeldOutOfSite || undefined)
  const time = new Date(NOW).toISOString()
  const profile = {
    visitorId,
    anonymousId: visitorId,
    affinities: {},
    affinitiesAt: time,
    traits: {},
    firstSeen: time,
    lastSeen: time,
    sessions: 1,
    events: 1,
    ...(decisions && { decisions }),
    ...(stopped && { stopped }),
    ...request.profile,
  } as unknown as Profile
  const person = personOfProfile(visitorId, profile, NOW)
  const { clauses } = slot
  const situation = situationOf({ siteId: SITE, visitorId, profile, person, context, slots: [slot], clauses, now: NOW })
  const { choice } = decide({
    situation,
    slot,
    seed,
    heldOut,
    shownBefore: new Set(shownBefore),
    ...(count !== undefined && { count }),
  })
  const known = recordedFacts(slot, situation, { isHeldOutOfSite })
  return {
    decisionId: seed,
    timestamp: time,
    slotId: 'hero',
    anonymousId: visitorId,
    position: 1,
    ...choice,
    ...(known && { known }),
    features: { ...choice.features },
  }
}
