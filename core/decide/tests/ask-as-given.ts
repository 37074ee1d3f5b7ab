import { type Content, type DecisionTest, isoTime, parseDuration, parseTime, type Slot } from '@slotstream/protocol'
import { NO_SUSPICION } from '../../bots/suspicion.js'
import type { Showing } from '../../catalog/caps.js'
import { type Clauses, createClauses } from '../../catalog/clauses.js'
import { type CompiledSlot, compileSlot } from '../../catalog/compile-slot.js'
import type { FeatureValue } from '../../features/state/values.js'
import { type CrossedFacts, crossFacts } from '../../learning/features/cross.js'
import type { SegmentAttributes } from '../../segments/attributes.js'
import type { Situation } from '../situation.js'
import { type Possible, possibleOf } from './possible.js'

/** Visitor id of a test that names no visitor. */
const SOMEONE = 'visitor'

/** A catalog whose slots are tested. */
export interface TestedCatalog {
  slots: readonly Slot[]
  content: readonly Content[]
}

/** A decision test with everything that its slot can show. */
export interface AskedTest {
  slot: CompiledSlot
  situation: Situation
  answer: Possible
  catalog: TestedCatalog
}

/** A decision test, ready to be decided. */
export interface ReadyTest {
  slot: CompiledSlot
  /** Returns the facts of a new request. Its lazy values are computed anew for each. */
  situation(): Situation
}

/**
 * Creates the function that prepares decision tests. Each slot is compiled once.
 *
 * @param siteId the holdout of a named visitor depends on it
 * @param now the present, in milliseconds since the epoch
 * @returns function that returns undefined where there is no such slot
 */
export function createMakeReady(
  catalog: TestedCatalog,
  siteId: string,
  now: number,
): (test: Pick<DecisionTest, 'given' | 'slot'>) => ReadyTest | undefined {
  const clauses = createClauses()
  const compiled = new Map<string, CompiledSlot>()

  return ({ slot: slotId, given: facts }) => {
    const slot = catalog.slots.find(({ id }) => id === slotId)
    if (slot === undefined) return undefined
    const ready = compiled.get(slot.id) ?? compileSlot(slot, catalog.content, clauses)
    compiled.set(slot.id, ready)
    const isNamed = facts.profile?.anonymousId !== undefined || facts.profile?.userId !== undefined
    const tested: CompiledSlot = isNamed ? ready : { ...ready, slot: { ...ready.slot, holdout: 0 } }
    return { slot: tested, situation: () => situationAsGiven(facts, clauses, siteId, now) }
  }
}

/**
 * Creates the function that works out what the slot of a test can show. It decides by the code that serves visitors,
 * and enumerates instead of sampling.
 *
 * @param siteId,now see `createMakeReady`
 * @returns function that returns undefined where there is no such slot
 */
export function createAskAsGiven(
  catalog: TestedCatalog,
  siteId: string,
  now: number,
): (test: Pick<DecisionTest, 'given' | 'slot'>) => AskedTest | undefined {
  const makeReady = createMakeReady(catalog, siteId, now)

  return test => {
    const ready = makeReady(test)
    if (!ready) return undefined
    const [slot, situation] = [ready.slot, ready.situation()]
    return { slot, situation, answer: possibleOf({ situation, slot, seed: SOMEONE }), catalog }
  }
}

/**
 * Returns the attributes of the person and request of a test that conditions read.
 *
 * @param contentId content whose features are among them. Default: none
 */
export function attributesAsGiven(
  { profile = {}, context = {}, content = {} }: DecisionTest['given'],
  now: number,
  contentId?: string,
) {
  const { traits = {}, segments = [], signals = [], features = {} } = profile
  return {
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
    suspicion: NO_SUSPICION,
    ...(contentId !== undefined && { content: { features: content[contentId] ?? {} } }),
  } satisfies SegmentAttributes
}

/** Returns the time of a test, in milliseconds since the epoch. Default: the present */
export function timeAsGiven({ now }: DecisionTest['given'], present: number): number {
  return now === undefined ? present : parseTime(now)!
}

function situationAsGiven(facts: DecisionTest['given'], clauses: Clauses, siteId: string, present: number): Situation {
  const { profile = {}, context = {} } = facts
  const now = timeAsGiven(facts, present)
  const attributes = attributesAsGiven(facts, now)
  const { traits, segments, features } = attributes
  const visitorId = profile.anonymousId ?? profile.userId ?? SOMEONE
  const person = { personId: profile.userId ?? visitorId, traits, segments, affinities: profile.affinities ?? {} }
  const values = Object.entries(features).map(([name, value]): [string, FeatureValue] => [
    name,
    { value, version: '', since: 0 },
  ])
  const sessionId = typeof context.sessionId === 'string' ? context.sessionId : ''
  const read = (contentId: string) => facts.content?.[contentId] ?? {}
  let crossed: CrossedFacts | undefined
  return {
    siteId,
    visitorId,
    person,
    context,
    now,
    ageMs: 0,
    contents: { read, ageMs: 0, versionsOf: () => [] },
    values: new Map(values),
    sessionId,
    answers: clauses.ask(attributes, read),
    showings: () => showingsAsGiven(profile.shown ?? [], now, sessionId),
    stopped: new Set(profile.stopped),
    crossed: () => (crossed ??= crossFacts({ ...person, context } as Parameters<typeof crossFacts>[0])),
  }
}

function showingsAsGiven(
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
