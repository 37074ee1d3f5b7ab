import type { DecisionRecord, PolicySpec, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { readLog } from '#cli/evaluate/log/read-log.js'
import { evaluatePolicy } from '#cli/evaluate/value/evaluate-policy.js'
import { recordOf, slotOf } from '../../core/replay/some-decision.js'

const NEEDS = { time: false, affinities: false, known: false }

/** Contents of which every third is for Germany alone. */
const contentsOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: `c${String(n).padStart(3, '0')}`,
    weight: 1 + (n % 4),
    ...(n % 3 === 0 && { where: { 'context.country': 'DE' } }),
  }))

/** Decides about a slot for persons of two countries. */
function decisionsOf(slot: Partial<Slot>, contents: number, decisions: number): DecisionRecord[] {
  const compiled = slotOf(slot, contentsOf(contents))
  return Array.from({ length: decisions }, (_, n) =>
    recordOf(compiled, { seed: `s${n}`, context: { country: n % 2 ? 'DE' : 'FR' } }),
  )
}

/** Writes a log as lines of JSON: a row for each content that was shown, with what docs/evaluation.md exports of it. */
async function logOf(
  records: readonly DecisionRecord[],
  { contents, withDraw = true }: { contents?: readonly string[]; withDraw?: boolean } = {},
) {
  const lines = records.flatMap(({ decisionId, contentIds, propensities, candidates, draw, policyVersion }) => {
    const sum = candidates.reduce((total, { probability }) => total + probability, 0)
    const listed = candidates.map(({ contentId, probability }) => [contentId, probability])
    return contentIds.map((contentId, place) =>
      JSON.stringify({
        decision_id: decisionId,
        content_id: contentId,
        position: place + 1,
        propensity: propensities[place],
        reward: Number(contentId.at(-1)) % 2,
        candidates: Math.abs(sum - 1) < 1e-6 ? JSON.stringify(listed) : '',
        above: JSON.stringify(contentIds.slice(0, place)),
        ...(withDraw && { draw: JSON.stringify(draw), policy_version: policyVersion }),
      }),
    )
  })
  async function* chunks() {
    yield new TextEncoder().encode(lines.join('\n'))
  }
  return readLog(chunks(), 'log.jsonl', NEEDS, contents && (async () => contents))
}

async function valueBy(policy: PolicySpec, ...log: Parameters<typeof logOf>) {
  return evaluatePolicy(await logOf(...log), policy, new Map(), undefined).report
}

describe('a log with recorded draws', () => {
  const random = decisionsOf({ policy: { type: 'random' } }, 33, 4_000)

  it('tells what could be shown of any number of contents, which its rows name', async () => {
    expect(await valueBy({ type: 'random' }, random)).toMatchObject({ ess: 4_000, overlap: 1, refused: null })
    expect((await valueBy({ type: 'random' }, random)).maxWeight).toBeCloseTo(1, 6)
    const without = await valueBy({ type: 'random' }, random, { withDraw: false })
    expect(without.refused?.code).toBe('corrupt_propensities')
  })

  it('has the chances of all of them, by which rare draws are known as such', async () => {
    const log = await logOf(decisionsOf({ policy: { type: 'weighted' }, count: 3 }, 33, 600))
    for (const { eligible, possible, chances } of log.situations) {
      expect([22, 33]).toContain(eligible!.length)
      expect(possible!.every(Boolean)).toBe(true)
      const sum = Array.from(chances!).reduce((total, chance) => total + chance, 0)
      expect(sum).toBeGreaterThan(0.7)
      expect(sum).toBeLessThan(1.5)
    }
  })

  it('tells what could be shown and had no chance', async () => {
    const fixed = decisionsOf({ policy: { type: 'fixed', contentIds: ['c001', 'c002'] } }, 9, 2_000)
    const contents = contentsOf(9).map(({ id }) => id)
    const known = await valueBy({ type: 'random' }, fixed, { contents })
    expect(known.overlap).toBeLessThan(0.35)
    expect(known.refused?.code).toBe('low_overlap')
  })

  it('is as one without draws where not all content has a name', async () => {
    const few = random.slice(0, 20)
    const log = await logOf(few)
    expect(log.situations.every(({ eligible }) => eligible === undefined)).toBe(true)
    const contents = contentsOf(33).map(({ id }) => id)
    const named = await logOf(few, { contents })
    expect(named.situations.every(({ eligible }) => eligible !== undefined)).toBe(true)
  })

  it('is not believed where its rows contradict each other', async () => {
    const [first, ...others] = random.slice(0, 2_000)
    const log = await logOf([{ ...first!, contentIds: ['c999'] }, ...others])
    expect(log.situations.some(({ eligible }) => eligible)).toBe(false)
    const broken = others.map(record => ({ ...record, draw: { stages: [] } }) as unknown as DecisionRecord)
    expect((await logOf(broken)).situations.some(({ eligible }) => eligible)).toBe(false)
  })
})
