import { type DecisionRecord, isObject, type RecordedStage, visitorIdOf } from '@slotstream/protocol'
import type { Showing } from '../catalog/caps.js'
import type { CompiledSlot } from '../catalog/compile-slot.js'
import { isHeldOut, type Question } from '../decide/decide.js'
import type { Situation } from '../decide/situation.js'
import type { FeatureValue } from '../features/state/values.js'
import { crossFacts } from '../learning/features/cross.js'
import { type AskedAnswers, answersFrom, type RecordedAnswers } from './recorded-answers.js'

/** A decision as a question that can be asked again, of the same slot or of another one. */
export interface RecordedQuestion extends Question {
  situation: Situation & { answers: AskedAnswers }
}

/** The fields of a record that a decision is made again from. */
export type AskedRecord = Pick<
  DecisionRecord,
  | 'timestamp'
  | 'anonymousId'
  | 'userId'
  | 'sessionId'
  | 'personId'
  | 'contentIds'
  | 'ghost'
  | 'holdout'
  | 'outcome'
  | 'features'
  | 'known'
  | 'seed'
  | 'draw'
>

/**
 * Makes a question of a record: what was known of person and request is what it says, and which conditions held, what
 * was capped and what earlier slots showed are what it answers. Who the holdout of the site has is held out whatever
 * the slot is: the record says it, and in one of before it follows where the holdout of the slot does not have them.
 *
 * @param was slot as it was decided by
 * @param slot about which it is asked
 */
export function questionOfRecord(
  siteId: string,
  record: AskedRecord,
  recorded: RecordedAnswers,
  was: CompiledSlot,
  slot: CompiledSlot,
): RecordedQuestion {
  const { known: facts = {}, features, seed } = record
  const now = Date.parse(record.timestamp)
  const sessionId = record.sessionId ?? ''
  const affinities = interestsOf(features.affinities)
  const visitorId = visitorIdOf(record)
  const person: Situation['person'] = {
    personId: record.personId ?? facts.personId ?? record.userId ?? record.anonymousId,
    traits: {},
    segments: facts.segments ?? [],
    affinities,
    ...(facts.tokens && { tokens: facts.tokens }),
    ...(facts.items && { items: facts.items }),
  }
  const having = (reason: string) => [...recorded.reasons].flatMap(([id, why]) => (why === reason ? [id] : []))
  const showings = new Map(having('capped').map(id => [id, showingsUpTo(slot, id, { at: now, sessionId })] as const))
  return {
    situation: {
      siteId,
      visitorId,
      person,
      context: {},
      now,
      sessionId,
      ...agesIn(features, slot),
      values: valuesOf(features),
      answers: answersFrom(recorded, slot),
      showings: () => showings,
      stopped: new Set(having('stopped')),
      crossed: () => crossFacts({ ...person, tokens: facts.tokens ?? [] }),
    },
    slot,
    count: countOf(record, slot),
    seed,
    heldOut:
      isHeldOut(siteId, visitorId, slot.slot) ||
      facts.isHeldOutOfSite === true ||
      (record.holdout && !isHeldOut(siteId, visitorId, was.slot)),
    shownBefore: new Set(having('repeated')),
  }
}

/**
 * Returns how many positions were asked for; where all was shown that could be, one more than that, since all numbers
 * above do alike.
 */
function countOf({ draw, outcome }: AskedRecord, { slot }: CompiledSlot): number {
  const stages = draw?.stages ?? []
  const drawn = stages.reduce((sum, stage) => sum + stage.drawn.length, 0)
  const last = stages.at(-1)
  if (outcome === 'stale' || !last || isExhausted(last)) return Math.max(slot.count, drawn + 1)
  return drawn
}

function isExhausted({ of: candidateCount, drawn, campaign }: RecordedStage): boolean {
  return campaign === undefined && drawn.length === candidateCount
}

/** Returns as many showings as reach each cap of a content. */
function showingsUpTo({ contents }: CompiledSlot, id: string, showing: Showing): Showing[] {
  const counts = contents.find(content => content.id === id)?.caps.map(({ count }) => count) ?? []
  return new Array<Showing>(Math.max(0, ...counts)).fill(showing)
}

function agesOf({ ages }: DecisionRecord['features']): [string, number][] {
  if (!isObject(ages)) return []
  return Object.entries(ages).flatMap(([name, age]): [string, number][] =>
    typeof age === 'number' ? [[name, age]] : [],
  )
}

/** Returns the ages of what was known of the person and of content: they decide whether it was fresh enough. */
function agesIn(features: DecisionRecord['features'], { needs }: CompiledSlot): Pick<Situation, 'ageMs' | 'contents'> {
  const ages = agesOf(features)
  const oldest = (isOfContent: boolean) =>
    Math.max(0, ...ages.flatMap(([name, age]) => (needs.contentFeatures.includes(name) === isOfContent ? [age] : [])))
  return { ageMs: oldest(false), contents: { read: () => ({}), ageMs: oldest(true), versionsOf: () => [] } }
}

/** Features whose age a record has: all that matters of them is that they were asked for. */
function valuesOf(features: DecisionRecord['features']): Map<string, FeatureValue> {
  const versions = isObject(features.versions) ? features.versions : {}
  return new Map(
    agesOf(features)
      .filter(([name]) => name !== 'affinities' && name !== 'segments')
      .map(([name]) => [name, { value: null, version: String(versions[name] ?? ''), since: 0 }]),
  )
}

/** Reads interests by category. ClickHouse writes "a.b" as b in a. */
export function interestsOf(raw: unknown, path = ''): Record<string, number> {
  return Object.fromEntries(interestsIn(raw, path))
}

// As entries: a category may be called as something that every object has.
function interestsIn(raw: unknown, path: string): [string, number][] {
  if (!isObject(raw)) return []
  return Object.entries(raw).flatMap(([name, value]): [string, number][] => {
    const whole = path === '' ? name : `${path}.${name}`
    return typeof value === 'number' ? [[whole, value]] : interestsIn(value, whole)
  })
}
