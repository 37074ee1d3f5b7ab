import {
  addOutcome,
  choose,
  crossFacts,
  DIMENSION,
  emptyEpochs,
  learningFeaturesOf,
  readModel,
  type SlotModel,
  seededRandom,
  toFixedReward,
} from '@slotstream/core'
import type { PolicySpec } from '@slotstream/protocol'
import { percentile } from '../support/percentile.js'
import { markdownTable } from '../support/table.js'
import { decideRows } from './decide-rows.js'
import { times } from './times.js'

const OUTCOMES = 4_000
const ROUNDS = 400
const CANDIDATES = [20, 200, 1_000]

const POLICIES: Record<string, { policy: PolicySpec | undefined; count: number }> = {
  contextual: { policy: { type: 'contextual' }, count: 1 },
  'contextual, gaps': { policy: { type: 'contextual', draw: 'gaps' }, count: 1 },
  'contextual, samples': { policy: { type: 'contextual', draw: 'samples' }, count: 1 },
  'contextual, three positions': { policy: { type: 'contextual' }, count: 3 },
  default: { policy: undefined, count: 1 },
  thompson: { policy: { type: 'thompson' }, count: 1 },
  popular: { policy: { type: 'popular' }, count: 1 },
}

/**
 * Measures the time of a choice among many candidates, from facts of a person to the draw, and of making the model,
 * against `JSON.parse` of the request's and the person's facts.
 */
export async function benchPolicies(): Promise<string> {
  const rows: string[][] = []
  const fits: string[] = []
  for (const candidates of CANDIDATES) {
    const { contents, model, fitMs } = learned(candidates)
    fits.push(`${candidates} contents: ${fitMs.toFixed(0)} ms`)
    const text = JSON.stringify(factsOf(7))
    const parse = times(ROUNDS, () => JSON.parse(text).person.segments.length)
    for (const [name, { policy, count }] of Object.entries(POLICIES)) {
      const list = times(ROUNDS, n => {
        const input = { siteId: 's', slotId: 'hero', eligible: contents, model, exploration: 0.02, seed: `${n}` }
        return choose(policy, { ...input, ...factsOf(n), count }).contentIds.length
      })
      rows.push([
        `${name}, ${candidates}`,
        ...[0, 0.5, 0.99].map(share => percentile(list, share).toFixed(1)),
        (percentile(list, 0.5) / percentile(parse, 0.5)).toFixed(0),
      ])
    }
  }
  const whole = [1_000, 10_000].flatMap(contents => decideRows(contents))
  return (
    `policies: a choice after ${OUTCOMES} outcomes, ${ROUNDS} rounds; aim: under 200 µs for 200 candidates\n` +
    `${markdownTable(['policy, candidates', 'best µs', 'p50 µs', 'p99 µs', '÷ JSON.parse'], rows)}\n` +
    `The whole of decide(), from profile to record, of content a fifth of which meets its condition, with caps:\n` +
    `${markdownTable(['policy, eligible of contents', 'best µs', 'p50 µs', 'p99 µs', 'record bytes'], whole)}\n` +
    `Making a model of ${DIMENSION} features, the choice of memory included: ${fits.join(', ')}`
  )
}

function factsOf(n: number) {
  return {
    person: {
      personId: `p${n}`,
      traits: { plan: ['free', 'pro', 'team'][n % 3]!, language: ['de', 'en'][n % 2]! },
      segments: ['rich', 'camper'].slice(0, n % 3),
      features: { views: n % 40, spent: (n * 7) % 500 },
      affinities: { [`category${n % 10}`]: 3, category1: 1 },
    },
    context: { daypart: ['morning', 'afternoon'][n % 2]!, device: ['phone', 'laptop'][n % 2]!, visit: n % 9 },
  }
}

function learned(candidates: number) {
  const random = seededRandom(`policies ${candidates}`)
  const contents = Array.from({ length: candidates }, (_, i) => ({ id: `content${i}`, category: `category${i % 10}` }))
  const begin = Date.UTC(2026, 0, 1)
  const epochs = emptyEpochs(begin + OUTCOMES * 100)
  for (let n = 0; n < OUTCOMES; n++) {
    const content = contents[Math.floor(random() * candidates)]!
    const { person, context } = factsOf(n)
    addOutcome(epochs, {
      contentId: content.id,
      at: begin + n * 100,
      position: 1,
      reward: toFixedReward(random() < 0.1 ? 1 : 0),
      segments: person.segments,
      features: learningFeaturesOf(crossFacts({ ...person, context }), content, 1),
    })
  }
  const started = performance.now()
  const model: SlotModel = readModel(epochs, { dimension: DIMENSION, trendHalfLifeMs: 3_600_000 })
  return { contents, model, fitMs: performance.now() - started }
}
