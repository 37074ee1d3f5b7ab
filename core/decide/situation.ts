import { isId, type Json, type Profile } from '@slotstream/protocol'
import { showingsOf } from '../catalog/caps.js'
import type { Clauses } from '../catalog/clauses.js'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import type { EligibilityFacts } from '../catalog/eligible.js'
import { DEFAULT_FEATURES } from '../features/default-features.js'
import type { Features } from '../features/feature.js'
import { type FeatureValue, featureValues } from '../features/state/values.js'
import { type CrossedFacts, crossFacts } from '../learning/features/cross.js'
import type { PersonFacts } from '../policies/proposal.js'
import { decayedTo } from '../profile/affinities.js'
import type { SegmentAttributes } from '../segments/attributes.js'
import type { CompiledSegments } from '../segments/compile-segments.js'
import { changesOf } from '../segments/membership.js'
import { personAttributes } from '../segments/person-attributes.js'
import { type AskedContents, askContents, type CountedContents } from './asked-contents.js'
import { type DecidedPerson, personOfProfile } from './person.js'

/** Definitions of a site that decisions need. */
export interface DecisionDefinitions {
  features: Features
  segments: CompiledSegments
  /** Whether visitors that seem to be bots may be in segments. Default: no */
  includesBots?: boolean
}

/** A request for slots of a site, with the facts about its visitor. */
export interface SituationInput {
  siteId: string
  visitorId: string
  /** The visitor's profile. Undefined: the visitor is new */
  profile: Profile | undefined
  /** The person with all browsers. Default: `personOfProfile`, without features and segments */
  person?: DecidedPerson | undefined
  /** Default: no segments, built-in features */
  definitions?: DecisionDefinitions
  /** Context of the request. Default: empty */
  context?: Record<string, unknown>
  /** The requested slots. */
  slots: readonly CompiledSlot[]
  /** The clauses that the slots were compiled with. */
  clauses: Clauses
  /** Milliseconds since the epoch. */
  now: number
  /** Age of the profile: how long messages may have been missing from it, in milliseconds. Default 0 */
  ageMs?: number
  /** Counts of the site's content. Default: nothing was counted */
  counted?: CountedContents
}

/** The facts by which all slots of one request are decided. */
export interface Situation extends EligibilityFacts {
  siteId: string
  visitorId: string
  person: PersonFacts & { affinities: Record<string, number>; segments: readonly string[] }
  /** Fields of the request's context that policies learn from. */
  context: Record<string, unknown>
  /** Age of the profile, in milliseconds. */
  ageMs: number
  /** Features of content, as conditions read them. */
  contents: AskedContents
  /** Values of the person's features that the slots need, by name. */
  values: ReadonlyMap<string, FeatureValue>
  /** Returns the facts of person and request that a linear model reads. Computed once. */
  crossed(): CrossedFacts
}

/** Declared features that policies learn from, at most: the first by name. */
const MAX_LEARNED_FEATURES = 20

/** Features whose values are the items of a person, the latest first. */
const ITEM_FEATURES = ['recent_products', 'recent_content']

/** Fields of the context that name one visit or page view, from which nothing can be learned. */
const IDS = ['sessionId', 'pageViewId']

/** Gathers the facts by which the slots of one request are decided, without what none of them needs. */
export function situationOf(input: SituationInput): Situation {
  const { siteId, visitorId, profile, slots, clauses, now, ageMs = 0, context = {} } = input
  const person = input.person ?? personOfProfile(visitorId, profile, now)
  const needs = needsOfAll(slots)
  const values = valuesFor(input, person, needs)
  const attributes = Object.assign(personAttributes(person, values, now), { context, segments: [] as string[] })
  const segments = needs.segments ? segmentsFor(input, person, attributes) : []
  attributes.segments = segments
  const affinities = profile ? decayedTo(now, { values: profile.affinities, at: Date.parse(profile.affinitiesAt) }) : {}
  const facts: Situation['person'] = { personId: person.id, traits: person.traits, segments, affinities }
  if (needs.learnsFeatures)
    facts.features = Object.fromEntries(declared(input).map(name => [name, values.get(name)?.value]))
  if (needs.items) facts.items = itemsIn(values)
  const learned = learnedContext(context)
  const contents = askContents(
    needs.contentFeatures,
    input.definitions?.features ?? DEFAULT_FEATURES,
    now,
    input.counted,
  )
  let showings: ReturnType<typeof showingsOf> | undefined
  let crossed: CrossedFacts | undefined
  return {
    siteId,
    visitorId,
    person: facts,
    context: learned,
    now,
    ageMs,
    contents,
    values,
    sessionId: isId(context.sessionId) ? context.sessionId : '',
    answers: clauses.ask(attributes, contents.read),
    showings: () => (showings ??= showingsOf(isLeftOut(input, person) ? [] : person.decisions, now)),
    stopped: new Set(person.stopped),
    crossed: () => (crossed ??= crossFacts({ context: learned, ...facts } as Parameters<typeof crossFacts>[0])),
  }
}

/** Tells whether slots need the person with all browsers: the visitor's own profile does not suffice. */
export function needsPerson(slots: readonly CompiledSlot[]): boolean {
  return slots.some(
    ({ needs, learns }) =>
      learns || needs.conditions || needs.caps || needs.stops || needs.policy.items || needs.policy.segments,
  )
}

interface Needs {
  /** Names of features that conditions read: of the person; `contentFeatures`: of content. */
  features: string[]
  contentFeatures: string[]
  segments: boolean
  learnsFeatures: boolean
  items: boolean
}

function needsOfAll(slots: readonly CompiledSlot[]): Needs {
  return {
    features: [...new Set(slots.flatMap(({ needs }) => needs.features))],
    contentFeatures: [...new Set(slots.flatMap(({ needs }) => needs.contentFeatures))],
    segments: slots.some(({ needs, learns }) => learns || needs.segments || needs.policy.segments),
    learnsFeatures: slots.some(({ needs }) => needs.policy.features),
    items: slots.some(({ needs }) => needs.policy.items),
  }
}

function valuesFor(input: SituationInput, person: DecidedPerson, needs: Needs): Map<string, FeatureValue> {
  const { features = DEFAULT_FEATURES, segments } = input.definitions ?? {}
  const names = new Set([
    ...needs.features,
    ...(needs.segments ? (segments?.features ?? []) : []),
    ...(needs.learnsFeatures ? declared(input) : []),
    ...(needs.items ? ITEM_FEATURES : []),
  ])
  return names.size === 0 ? new Map() : featureValues(person.features, features, input.now, names)
}

/** Returns the names of the features that the site declares. */
function declared({ definitions }: SituationInput): string[] {
  if (!definitions) return []
  const siteFeatures = [...definitions.features.byName.values()].filter(({ isBuiltIn }) => !isBuiltIn)
  return siteFeatures
    .map(({ name }) => name)
    .sort()
    .slice(0, MAX_LEARNED_FEATURES)
}

/** Tells whether a person seems to be a bot: bots are in no segment, and caps do not count what they are shown. */
function isLeftOut({ definitions }: SituationInput, { suspicion }: DecidedPerson): boolean {
  return suspicion.isBot && !definitions?.includesBots
}

function segmentsFor(input: SituationInput, person: DecidedPerson, attributes: SegmentAttributes): string[] {
  const { definitions } = input
  if (!definitions || definitions.segments.segments.length === 0 || isLeftOut(input, person)) return []
  return changesOf(definitions.segments, person.members, attributes).segments
}

/** Returns the items of a person, the latest last. Numbers become text, as ids of content are. */
function itemsIn(values: ReadonlyMap<string, FeatureValue>): string[] {
  return ITEM_FEATURES.flatMap(name => {
    const list: Json = values.get(name)?.value ?? []
    if (!Array.isArray(list)) return []
    return list
      .flatMap(item => (typeof item === 'string' ? item : typeof item === 'number' ? String(item) : []))
      .reverse()
  })
}

function learnedContext(context: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).filter(([name, value]) => typeof value !== 'object' && !IDS.includes(name)),
  )
}
