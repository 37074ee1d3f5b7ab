import { type Content, type DecisionTest, isoTime, parseDuration, parseTime, type Slot } from '@slotstream/protocol'
import type { Showing } from '../../catalog/caps.js'
import { type Clauses, createClauses } from '../../catalog/clauses.js'
import { type CompiledSlot, compileSlot } from '../../catalog/compile-slot.js'
import { detailOf } from '../../catalog/eligible.js'
import type { FeatureValue } from '../../features/state/values.js'
import { type CrossedFacts, crossFacts } from '../../learning/features/cross.js'
import type { SegmentAttributes } from '../../segments/attributes.js'
import type { Situation } from '../situation.js'
import { type Possible, possibleOf } from './possible.js'

/** Visitor of a test that names none. */
const SOMEONE = 'visitor'

/** Most content that a fault names. */
const MOST_NAMED = 5

/** A catalog whose slots are tested. */
export interface TestedCatalog {
  slots: readonly Slot[]
  content: readonly Content[]
}

/**
 * Creates the function that runs decision tests against a catalog. It decides as visitors are served, and samples nothing.
 *
 * @param siteId on which the holdout of a named visitor depends
 * @param now the present, in milliseconds since the epoch
 * @returns what is not as the test expects it, a line each
 */
export function createRunDecisionTest(
  { slots, content }: TestedCatalog,
  siteId: string,
  now: number,
): (test: DecisionTest) => string[] {
  const clauses = createClauses()
  const compiled = new Map<string, CompiledSlot>()

  return test => {
    const slot = slots.find(({ id }) => id === test.slot)
    if (slot === undefined) return [`there is no slot ${JSON.stringify(test.slot)}`]
    const ready = compiled.get(slot.id) ?? compileSlot(slot, content, clauses)
    compiled.set(slot.id, ready)
    const isNamed = test.given.profile?.anonymousId !== undefined || test.given.profile?.userId !== undefined
    const tested: CompiledSlot = isNamed ? ready : { ...ready, slot: { ...ready.slot, holdout: 0 } }
    const situation = situationOfTest(test, clauses, siteId, now)
    const found = possibleOf({ situation, slot: tested, seed: SOMEONE })
    return misses(test, found, tested, situation)
  }
}

function misses({ expect }: DecisionTest, found: Possible, slot: CompiledSlot, situation: Situation): string[] {
  const { never = [], always = [], anyOf, outcome } = expect
  const { possible, certain } = found
  const faults: string[] = []
  for (const id of never) if (possible.has(id)) faults.push(`never ${id}: it can be shown`)
  for (const id of always)
    if (!possible.has(id)) faults.push(`always ${id}: it cannot be shown, ${whyNot(id, found, slot, situation)}`)
    else if (!certain.has(id))
      faults.push(`always ${id}: ${named([...possible].filter(other => other !== id))} can be shown, too`)
  const others = anyOf === undefined ? [] : [...possible].filter(id => !anyOf.includes(id))
  if (others.length > 0) faults.push(`anyOf: ${named(others)} can be shown, too`)
  if (anyOf !== undefined && possible.size === 0)
    faults.push(`anyOf: nothing can be shown, the outcome is ${found.outcome}`)
  if (outcome !== undefined && outcome !== found.outcome) faults.push(`outcome: it is ${found.outcome}, not ${outcome}`)
  return faults
}

function whyNot(id: string, { outcome, decided }: Possible, slot: CompiledSlot, situation: Situation): string {
  const place = slot.contents.findIndex(({ content }) => content.id === id)
  if (place === -1) return 'the slot has no such content'
  const reason = decided.reasons[place]
  if (reason === undefined) return outcome === 'holdout' ? 'the visitor is in the holdout' : 'other content comes first'
  const detail = detailOf(slot, place, reason, situation)
  return detail === undefined ? reason.replaceAll('_', ' ') : `${reason.replaceAll('_', ' ')}: ${detail}`
}

function named(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function situationOfTest({ given }: DecisionTest, clauses: Clauses, siteId: string, present: number): Situation {
  const { profile = {}, context = {} } = given
  const now = given.now === undefined ? present : parseTime(given.now)!
  const { traits = {}, segments = [], signals = [], features = {}, affinities = {} } = profile
  const visitorId = profile.anonymousId ?? profile.userId ?? SOMEONE
  const attributes: SegmentAttributes = {
    features,
    segments,
    signals,
    traits,
    context,
    now: isoTime(now),
    profile: {
      firstSeen: profile.firstSeen ?? isoTime(now),
      lastSeen: profile.lastSeen ?? isoTime(now),
      sessions: profile.sessions ?? 0,
      events: profile.events ?? 0,
    },
  }
  const person = { personId: profile.userId ?? visitorId, traits, segments, affinities }
  const values = Object.entries(features).map(([name, value]): [string, FeatureValue] => [
    name,
    { value, version: '', since: 0 },
  ])
  const sessionId = typeof context.sessionId === 'string' ? context.sessionId : ''
  let crossed: CrossedFacts | undefined
  return {
    siteId,
    visitorId,
    person,
    context,
    now,
    ageMs: 0,
    values: new Map(values),
    sessionId,
    answers: clauses.ask(attributes),
    showings: () => showingsOfTest(profile.shown ?? [], now, sessionId),
    stopped: new Set(profile.stopped),
    crossed: () => (crossed ??= crossFacts({ ...person, context } as Parameters<typeof crossFacts>[0])),
  }
}

function showingsOfTest(
  shown: NonNullable<NonNullable<DecisionTest['given']['profile']>['shown']>,
  now: number,
  sessionId: string,
): Map<string, Showing[]> {
  const showings = new Map<string, Showing[]>()
  for (const { contentId, ago, sessionId: session = sessionId } of shown)
    showings.set(contentId, [
      ...(showings.get(contentId) ?? []),
      { at: now - (parseDuration(ago) ?? 0), sessionId: session },
    ])
  return showings
}
