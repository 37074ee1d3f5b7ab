import { readFileSync } from 'node:fs'
import type { DecisionRecord } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { codeOf } from '#core/catalog/reasons.js'
import { draw } from '#core/decide/draw.js'
import { seededRandom } from '#core/decide/random.js'
import { recompute } from '#core/decide/recompute.js'
import { packReasons, unpackReasons } from '#core/decide/record/pack-reasons.js'
import { decideOne } from './some-question.js'

/**
 * Records as releases wrote them. They are never changed: what was recorded must be drawn again by every later version.
 */
const RECORDS = ['0.1.0', '0.1.0-form-3'].flatMap(release => {
  const text = readFileSync(new URL(`records-${release}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { what: string; record: DecisionRecord }[]).map(
    ({ what, record }) => [release, what, record] as const,
  )
})

describe('a record', () => {
  it.each(RECORDS)('of %s, %s, is drawn again', (_release, _what, record) => {
    const { ghost, contentIds, propensities } = record
    expect(recompute(record)).toMatchObject(ghost ? { contentIds: ghost } : { contentIds, propensities })
    expect((ghost ?? contentIds).length).toBeGreaterThan(0)
  })

  it.each(RECORDS)('of %s, %s, is not what another seed draws, or what other numbers do', (_release, what, record) => {
    const { ghost, propensities, draw } = record
    const contentIds = ghost ?? record.contentIds
    // What is listed is certain.
    if (what === 'fixed') return
    const others = Array.from({ length: 500 }, (_, n) => recompute({ ...record, seed: `other ${n}` }))
    expect(others.some(again => again?.contentIds.join() !== contentIds.join())).toBe(true)
    // Chances of equals are equal, whatever is explored.
    if (!draw || what === 'random') return
    const stages = draw.stages.map(stage => ({
      ...stage,
      ...(stage.lottery && { lottery: { ...stage.lottery, exploration: 0.9 } }),
    }))
    expect(recompute({ ...record, draw: { ...draw, stages } })?.propensities).not.toEqual(propensities)
  })

  it('of affinity and random shows what the first form would have, for the same seed', () => {
    const categories = ['shoes', 'shoes', 'hats', 'bags']
    const contents = categories.map((category, n) => ({ id: `c${n}`, slots: ['hero'], category, payload: {} }))
    const slot = { id: 'hero', policy: { type: 'affinity' as const, exploration: 0.3 }, count: 3, holdout: 0 }
    for (let n = 0; n < 500; n++) {
      const question = { siteId: 'shop', visitorId: 'v', profile: undefined, now: 0, contents, slot, seed: `s${n}` }
      const { choice } = decideOne(question)
      const before = draw(choice.candidates, 0.3, 3, seededRandom(`s${n}`))
      expect(choice.contentIds).toEqual(before.contentIds)
      for (const [position, chance] of choice.propensities.entries())
        expect(chance).toBeCloseTo(before.propensities[position]!, 8)
    }
  })
})

describe('reasons of contents', () => {
  it('are written as letters, and read again', () => {
    const reasons = [undefined, undefined, 'ended', 'condition', 'condition', undefined, 'capped'] as const
    expect(packReasons(Uint8Array.from(reasons, codeOf))).toBe('e2xc2ek')
    expect(unpackReasons('e2xc2ek')).toEqual(reasons)
    expect(unpackReasons(packReasons(new Uint8Array()))).toEqual([])
    // Of another version, or no record of ours.
    expect(unpackReasons('e!?z3x2')).toEqual([undefined, 'ended', 'ended'])
    expect(unpackReasons('x999999999').length).toBeLessThanOrEqual(100_000)
    expect(unpackReasons('x100000'.repeat(1_000)).length).toBeLessThanOrEqual(100_000)
  })
})
