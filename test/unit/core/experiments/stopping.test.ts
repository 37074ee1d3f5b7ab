import { describe, expect, it } from 'vitest'
import { keptArm } from '#core/experiments/assign.js'
import { type Counted, resultsOf } from '#core/experiments/results.js'
import { endOf } from '#core/experiments/stopping.js'

const AT = Date.UTC(2026, 5, 1)
const arm = (id: string, rewards: number, guarded = 1_000) => ({
  id,
  decisions: 20_000,
  metrics: [{ units: 20_000, sum: rewards, squares: rewards }],
  guardrails: [{ units: 20_000, sum: guarded, squares: guarded }],
})

/** How an experiment with these rules ends, whose control earns 2,000. */
function ended(stop: object | undefined, other: ReturnType<typeof arm>, more: Partial<Counted> = {}) {
  const fine = { ok: true, e: 1 }
  const experiment = { metrics: ['Slot Clicked'], guardrails: ['Order Completed'], ...(stop && { stop }) }
  const counted = { arms: [arm('control', 2_000), other], sampleRatio: fine, propensities: fine, ...more }
  return endOf(experiment, resultsOf(experiment, { loss: { ok: true, difference: 0 }, ...counted }), AT)
}

describe('an experiment', () => {
  it('ends by its rules, with the reason and what was known', () => {
    expect(ended({}, arm('new', 1_400))).toEqual({
      at: '2026-06-01T00:00:00.000Z',
      reason: 'worse',
      verdict: expect.stringMatching(/^It harms: "new"/),
    })
    expect(ended({ on: ['better'] }, arm('new', 2_600))).toMatchObject({ reason: 'better' })
    expect(ended({ units: 40_000 }, arm('new', 2_000))).toMatchObject({ reason: 'units' })
  })

  it('runs on without rules, where results only tell, where no rule holds, and once it has ended', () => {
    expect(ended(undefined, arm('new', 1_400))).toBeUndefined()
    expect(ended({ apply: 'tell' }, arm('new', 1_400))).toBeUndefined()
    expect(ended({ on: ['better'] }, arm('new', 1_400))).toBeUndefined()
    expect(ended({}, arm('new', 2_600))).toBeUndefined()
    const results = { stop: 'worse' as const, verdict: '', lift: { arm: null, value: null, low: null, high: null } }
    const stopped = { at: '2026-05-01T00:00:00Z', reason: 'asked' as const }
    expect(endOf({ stop: {}, stopped }, results, AT)).toBeUndefined()
  })

  it('promotes the better arm where that is asked for, and never one whose numbers are not sound', () => {
    const promote = { apply: 'promote', units: 40_000 }
    expect(ended(promote, arm('new', 2_600))).toMatchObject({ reason: 'better', arm: 'new' })
    expect(ended({ ...promote, on: ['units'] }, arm('new', 2_600))).toMatchObject({ reason: 'units', arm: 'new' })
    expect(ended(promote, arm('new', 2_010))).not.toHaveProperty('arm')
    const broken = ended(promote, arm('new', 2_600, 500))
    expect(broken).toMatchObject({ reason: 'guardrail' })
    expect(broken).not.toHaveProperty('arm')
    const wrong = ended(promote, arm('new', 2_600), { sampleRatio: { ok: false, e: 1e9 } })
    expect(wrong).toMatchObject({ reason: 'sampleRatio' })
    expect(wrong).not.toHaveProperty('arm')
  })
})

describe('a slot whose experiments ended', () => {
  const one = (id: string, day: number, arm?: string) => ({
    id,
    slot: 'hero',
    arms: [
      { id: 'control', share: 0.5 },
      { id: 'new', share: 0.5 },
    ],
    stopped: { at: `2026-06-0${day}T00:00:00Z`, reason: 'asked' as const, ...(arm && { arm }) },
  })

  it('chooses as the arm that was promoted last, else as the control of the latest', () => {
    const kept = (...experiments: Parameters<typeof keptArm>[1]) => {
      const found = keptArm('hero', experiments)
      return found && [(found.experiment as { id?: string }).id, found.arm.id]
    }
    expect(kept()).toBeUndefined()
    expect(kept({ ...one('a', 1), slot: 'side' })).toBeUndefined()
    expect(kept(one('a', 1), one('b', 2))).toEqual(['b', 'control'])
    expect(kept(one('a', 1, 'new'), one('b', 2))).toEqual(['a', 'new'])
    expect(kept(one('b', 2, 'new'), one('a', 1, 'new'))).toEqual(['b', 'new'])
    const { stopped: _none, ...running } = one('c', 3)
    expect(kept(running)).toBeUndefined()
  })
})
