import {
  type Condition,
  compileSegments,
  compileWhere,
  readAttribute,
  type SegmentAttributes,
  segmentsOf,
  shareReads,
} from '@slotstream/core'
import type { JsonObject } from '@slotstream/protocol'
import { percentile } from '../support/percentile.js'
import { markdownTable } from '../support/table.js'

const CANDIDATES = 200
const CLAUSES = 7
const ROUNDS = 300
const WARM_UP = 100
const WITH_PATTERNS = 'compiled, with a pattern each that needs RE2'
/** Evaluations that are timed together: one alone would pay for the caches that the others have emptied. */
const AT_ONCE = 10

/** Attributes of a person who meets all clauses of all candidates: none ends an evaluation early. */
const ATTRIBUTES: SegmentAttributes = {
  features: {
    views: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`category-${i}`, 5 + i])),
    spent: 420,
    recent: Array.from({ length: 20 }, (_, i) => `product-${i}`),
  },
  segments: ['rich', 'camper', 'newsletter'],
  signals: ['repeated_view', 'left-cart'],
  traits: { plan: 'pro', address: { city: 'Graz' } },
  context: {
    country: 'DE',
    page: { path: '/shop/tents/dome', url: 'https://shop.example/shop/tents/dome?utm_source=mail' },
  },
  now: '2026-11-27T09:00:00.000Z',
  profile: { firstSeen: '2026-01-01T00:00:00.000Z', lastSeen: '2026-11-27T08:59:00.000Z', sessions: 12, events: 340 },
}

/** Reads that the conditions of all candidates share. */
const READS = shareReads(readAttribute)

/** Returns a candidate's condition of seven clauses. */
function whereOf(index: number): JsonObject {
  return {
    [`features.views.category-${index % 40}`]: { $gte: 2 },
    'features.spent': { $gt: 100 },
    segments: { $in: ['rich', `rich-${index}`] },
    'traits.plan': { $in: ['pro', 'team'] },
    'context.country': 'DE',
    'context.page.path': { $regex: '^/shop/' },
    now: { $gte: '2026-11-01' },
  }
}

/** Matches the same by hand, with nothing looked up by name and nothing may be missing. */
function byHand(index: number): (attributes: SegmentAttributes) => boolean {
  const category = `category-${index % 40}`
  const nested = `rich-${index}`
  return ({ features, segments, traits, context, now }) =>
    (features.views as Record<string, number>)[category]! >= 2 &&
    (features.spent as number) > 100 &&
    (segments.includes('rich') || segments.includes(nested)) &&
    (traits.plan === 'pro' || traits.plan === 'team') &&
    context.country === 'DE' &&
    (context.page as { path: string }).path.startsWith('/shop/') &&
    now >= '2026-11-01T00:00:00.000Z'
}

/**
 * Conditions of 200 candidates, each of seven clauses, over one person: compiled, against the same written by hand and
 * against `JSON.parse` of the person's attributes. Alternating, in one run.
 */
export async function benchConditions(): Promise<string> {
  const indices = Array.from({ length: CANDIDATES }, (_, i) => i)
  const all = indices.map(index => compiled(whereOf(index)))
  const early = indices.map(index =>
    compiled({ 'traits.address.city': index % 10 === 0 ? 'Graz' : 'Wien', ...whereOf(index) }),
  )
  const patterns = indices.map(index =>
    compiled({ ...whereOf(index), 'context.page.path': { $regex: `^/shop/[a-z]+/(dome|tunnel-${index})$` } }),
  )
  const hand = indices.map(byHand)
  const segments = compileSegments(indices.map(index => ({ name: `s${index}`, where: segmentOf(index) })))
  if (!segments.ok) throw new Error(segments.reason)
  const text = JSON.stringify(ATTRIBUTES)

  let met = 0
  const ways: Record<string, () => number> = {
    'JSON.parse of the attributes': () => JSON.parse(text).profile.sessions,
    'written by hand': () => hand.filter(matches => matches(ATTRIBUTES)).length,
    'compiled, all clauses met': () => countOf(all),
    'compiled, nine of ten end early': () => countOf(early),
    [WITH_PATTERNS]: () => countOf(patterns),
    '200 segments of a person, half of them nested': () => segmentsOf(segments.value, ATTRIBUTES).length,
  }
  const times = Object.fromEntries(Object.keys(ways).map(name => [name, [] as number[]]))
  const run = (names: string[], rounds: number) => {
    for (let round = 0; round < WARM_UP + rounds; round++)
      for (const name of names) {
        const begun = performance.now()
        for (let i = 0; i < AT_ONCE; i++) met += ways[name]!()
        if (round >= WARM_UP) times[name]!.push(((performance.now() - begun) * 1_000) / AT_ONCE)
      }
  }
  // Engines of patterns empty the caches of all else.
  run(
    Object.keys(ways).filter(name => name !== WITH_PATTERNS),
    ROUNDS,
  )
  run([WITH_PATTERNS], ROUNDS / 3)
  if (met === 0) throw new Error('no condition was met')

  const median = (name: string) => percentile(times[name]!, 0.5)
  const rows = Object.entries(times).map(([name, list]) => [
    name,
    percentile(list, 0).toFixed(1),
    percentile(list, 0.5).toFixed(1),
    percentile(list, 0.99).toFixed(1),
    (median(name) / median('JSON.parse of the attributes')).toFixed(1),
    (median(name) / median('written by hand')).toFixed(1),
  ])
  const title = `conditions: ${CANDIDATES} candidates of ${CLAUSES} clauses over one person (${text.length} bytes), ${ROUNDS} rounds of ${AT_ONCE}; aim: under 100 µs compiled`
  return `${title}\n${markdownTable(['', 'best µs', 'p50 µs', 'p99 µs', '÷ JSON.parse', '÷ by hand'], rows)}`
}

/** Counts conditions that are met. Loading is part of it, as it is of each request. */
function countOf(conditions: readonly Condition[]): number {
  const loaded = READS.load(ATTRIBUTES)
  return conditions.filter(({ matches }) => matches(loaded)).length
}

/** Every second one asks for the one before it. */
function segmentOf(index: number): JsonObject {
  const { segments: _, ...where } = whereOf(index)
  return index % 2 === 0 ? where : { ...where, segments: { $in: [`s${index - 1}`] } }
}

function compiled(where: JsonObject): Condition {
  const condition = compileWhere(where, {}, { read: READS.read })
  if (!condition.ok) throw new Error(condition.reason)
  return condition.value
}
