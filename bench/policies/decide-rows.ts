import {
  addOutcome,
  compileSegments,
  compileSlot,
  createClauses,
  crossFacts,
  DEFAULT_FEATURES,
  type DecidedPerson,
  DIMENSION,
  decide,
  emptyEpochs,
  learningFeaturesOf,
  personOfProfile,
  readModel,
  type SlotModel,
  seededRandom,
  servedDecision,
  situationOf,
  toFixedReward,
} from '@slotstream/core'
import type { Content, KeptDecision, PolicySpec, Slot } from '@slotstream/protocol'
import { percentile } from '../support/percentile.js'
import { times } from './times.js'

const ROUNDS = 400
const OUTCOMES = 4_000
const NOW = Date.UTC(2026, 0, 2)
/** One content of so many meets its condition. */
const ELIGIBLE = 5

const POLICIES: Record<string, PolicySpec | undefined> = {
  contextual: { type: 'contextual' },
  default: undefined,
  thompson: { type: 'thompson' },
  affinity: { type: 'affinity', exploration: 0.1 },
}

/**
 * Measures times of the whole decision about a known person: the situation, eligibility, choice, record, and what the
 * profile is told.
 */
export function decideRows(contents: number): string[][] {
  const content = contentOf(contents)
  const model = learned(content)
  const segments = compileSegments([{ name: 'rich', where: { 'traits.plan': 'pro' } }])
  if (!segments.ok) throw new Error(segments.reason)
  const definitions = { features: DEFAULT_FEATURES, segments: segments.value }
  return Object.entries(POLICIES).map(([name, policy]) => {
    const slot: Slot = { id: 'hero', count: 1, holdout: 0, ...(policy && { policy }) }
    const clauses = createClauses()
    const compiled = compileSlot(slot, content, clauses)
    let bytes = 0
    const decideAbout = (n: number, person: DecidedPerson) => {
      const who = { siteId: 's', visitorId: `p${n}`, profile: undefined, person, definitions }
      const situation = situationOf({ ...who, context: contextOf(n), slots: [compiled], clauses, now: NOW })
      const decided = decide({ situation, slot: compiled, seed: `${n}`, model })
      servedDecision(`${n}`, compiled, situation, decided)
      // Once: writing it down is not part of the decision.
      if (bytes === 0) bytes = JSON.stringify(decided.choice).length
      return decided.stages[0]!.recorded.of
    }
    const list = times(ROUNDS, decideAbout, personOf)
    return [
      `${name}, ${compiled.contents.length / ELIGIBLE} of ${compiled.contents.length}`,
      ...[0, 0.5, 0.99].map(share => percentile(list, share).toFixed(1)),
      String(bytes),
    ]
  })
}

function contentOf(count: number): Content[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `content-${n}`,
    slots: ['hero'],
    category: `category${n % 10}`,
    payload: {},
    where: {
      'context.country': n % ELIGIBLE === 0 ? 'DE' : 'FR',
      'traits.plan': { $in: ['pro', 'team', 'free'] },
      ...(n % 3 === 0 && { segments: { $nin: ['gone'] } }),
    },
    caps: [{ count: 3, per: n % 2 === 0 ? ('24h' as const) : ('session' as const) }],
  }))
}

function contextOf(n: number) {
  const daypart = n % 2 === 0 ? 'morning' : 'afternoon'
  return { sessionId: `s${n}`, country: 'DE', daypart, device: n % 3 === 0 ? 'phone' : 'laptop' }
}

/** Returns a person who was shown thirty things. */
function personOf(n: number): DecidedPerson {
  const decisions: KeptDecision[] = Array.from({ length: 30 }, (_, index) => ({
    decisionId: `d${index}`,
    slotId: 'hero',
    at: NOW - index * 3_600_000,
    sessionId: `s${n - 1}`,
    items: [{ contentId: `content-${index * ELIGIBLE}`, position: 1, viewedAt: NOW - index * 3_600_000 }],
  }))
  const traits = { plan: ['free', 'pro', 'team'][n % 3]!, language: ['de', 'en'][n % 2]! }
  return { ...personOfProfile(`p${n}`, undefined, NOW), traits, decisions }
}

function learned(contents: readonly Content[]): SlotModel {
  const random = seededRandom('decide')
  const epochs = emptyEpochs(NOW)
  for (let n = 0; n < OUTCOMES; n++) {
    const content = contents[ELIGIBLE * Math.floor((random() * contents.length) / ELIGIBLE)]!
    addOutcome(epochs, {
      contentId: content.id,
      at: NOW - (OUTCOMES - n) * 100,
      position: 1,
      reward: toFixedReward(random() < 0.1 ? 1 : 0),
      segments: [],
      features: learningFeaturesOf(crossFacts({ context: contextOf(n) }), content, 1),
    })
  }
  return readModel(epochs, { dimension: DIMENSION, trendHalfLifeMs: 3_600_000 })
}
