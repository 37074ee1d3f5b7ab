import {
  type CompiledSlot,
  compileSlot,
  createClauses,
  decide,
  type ReplayedDecision,
  recordedFacts,
  situationOf,
} from '@slotstream/core'
import { type Content, type DecisionRecord, isoTime, type PolicySpec, type Profile } from '@slotstream/protocol'
import { type ResponseOptions, respond } from './responses.js'
import { simulateWorld, type WorldOptions, type WorldRequest } from './world.js'

/** A decision of the product in a simulated world, as it would be recorded, with what came of it. */
export interface SimulatedDecision extends ReplayedDecision {
  record: DecisionRecord
  request: WorldRequest
  /** Slot as it was decided by: another one after an item is replaced. */
  was: CompiledSlot
}

/** Site, and time of the first decision and between two, in milliseconds. */
export const SITE = 'simulated'
const BEGIN = Date.UTC(2026, 0, 1)
const PACE_MS = 1_000

/** Interests that a person shows: the favourite category of the group, among others. */
const INTERESTS = ['bags', 'hats', 'shoes']

/**
 * Decides in a world as the product does, by a policy that does not learn, and records it.
 *
 * @param policy undefined: the default policy
 */
export function* simulateDecisions(
  seed: string,
  policy: PolicySpec | undefined,
  options: WorldOptions & ResponseOptions & { count?: number },
): Generator<SimulatedDecision> {
  const compiled = new Map<string, CompiledSlot>()
  let n = 0
  for (const request of simulateWorld(seed, options)) {
    const { person, context, items } = request
    const key = items.map(({ id }) => id).join()
    const slot = compiled.get(key) ?? slotOf(items, policy, options.count ?? 1)
    compiled.set(key, slot)
    const now = BEGIN + n * PACE_MS
    const { personId: visitorId, traits } = person
    const profile = {
      ...newProfile(visitorId, now),
      traits,
      affinities: { [INTERESTS[groupOf(traits)]!]: 1 },
    } as Profile
    const { clauses } = slot
    const situation = situationOf({ siteId: SITE, visitorId, profile, context, slots: [slot], clauses, now })
    const seedOfDraw = `${seed}:${n}`
    const { choice, shown } = decide({ situation, slot, seed: seedOfDraw })
    const facts = recordedFacts(slot, situation)
    const ids = items.map(({ id }) => id)
    const places = shown.map(place => ids.indexOf(slot.contents[place]!.id))
    yield {
      record: {
        decisionId: seedOfDraw,
        timestamp: isoTime(now),
        slotId: slot.slot.id,
        anonymousId: visitorId,
        position: 1,
        ...choice,
        ...(facts && { known: facts }),
        features: { ...choice.features },
      },
      rewards: respond(seed, n, request, places, options).map(({ arrived }) => arrived),
      request,
      was: slot,
    }
    n++
  }
}

/** Returns a slot over items as it would be with another policy. */
export function withPolicy({ slot, contents }: CompiledSlot, policy: PolicySpec | undefined): CompiledSlot {
  const { policy: _before, ...rest } = slot
  return compileSlot(
    { ...rest, ...(policy && { policy }) },
    contents.map(({ content }) => content),
    createClauses(),
  )
}

function slotOf(items: WorldRequest['items'], policy: PolicySpec | undefined, count: number): CompiledSlot {
  const contents = items.map(({ id, category }): Content => ({ id, category, slots: ['hero'], payload: {} }))
  const slot = { id: 'hero', count, holdout: 0, ...(policy && { policy }) } as CompiledSlot['slot']
  return compileSlot(slot, contents, createClauses())
}

function newProfile(anonymousId: string, now: number) {
  return {
    visitorId: anonymousId,
    anonymousId,
    affinitiesAt: isoTime(now),
    firstSeen: isoTime(now),
    lastSeen: isoTime(now),
  }
}

function groupOf({ plan }: Record<string, string>): number {
  return ['free', 'pro', 'team'].indexOf(plan ?? '')
}
