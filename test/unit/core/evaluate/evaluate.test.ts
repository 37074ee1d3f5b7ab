import { describe, expect, it } from 'vitest'
import { evaluateLots } from '#core/evaluate/evaluate.js'
import { policyTarget, type Target, uniformTarget } from '#core/evaluate/target/target.js'
import type { EligibleContent } from '#core/policies/proposal.js'
import { logOf, play, type SomeRow } from './some-log.js'

const IDS = ['a', 'b', 'c', 'd']
const LOGGED = { a: 1, b: 2, c: 3, d: 4 }
const WANTED = { a: 4, b: 3, c: 2, d: 1 }
const RATES = { a: 0.5, b: 0.4, c: 0.2, d: 0.1 }

const contents = new Map(
  Object.entries(WANTED).map(([id, weight]): [string, EligibleContent] => [id, { id, category: id, weight }]),
)

function targetOf(found: ReturnType<typeof policyTarget>): Target {
  if (!found.ok) throw new Error(found.refused.reason)
  return found.target
}

function evaluateBy(rows: SomeRow[], policy: Parameters<typeof policyTarget>[0] | 'uniform', clip?: number) {
  const more = policy !== 'uniform' && policy?.type === 'fixed' ? policy.contentIds : []
  const log = logOf(rows, more)
  const target = policy === 'uniform' ? uniformTarget(log) : targetOf(policyTarget(policy, log, contents))
  return evaluateLots(log, target.range, target.lots, { clip })
}

/** Rows that alternate between items, each with the same chance. */
const alternating = (rows: number, ids: string[], propensity: number, reward = (row: number) => row % 3): SomeRow[] =>
  Array.from({ length: rows }, (_, row) => ({ id: ids[row % ids.length]!, propensity, reward: reward(row) }))

describe('values of a policy', () => {
  it('are covered by the intervals as often as these say, position by position', () => {
    // Given what a log shows above, each position is a choice of its own: the truth is the mean over what was above.
    const runs = 150
    const covered: Record<string, number> = { ips: 0, snips: 0, dm: 0, dr: 0, switchDr: 0 }
    let valued = 0
    for (let run = 0; run < runs; run++) {
      const rows = play(1_500, 2, LOGGED, RATES, `run ${run}`)
      const truth =
        rows.reduce((sum, { above = [], position = 1 }) => {
          const rest = IDS.filter(id => !above.includes(id)) as (keyof typeof RATES)[]
          const total = rest.reduce((all, id) => all + WANTED[id], 0)
          return sum + rest.reduce((all, id) => all + ((WANTED[id] / total) * RATES[id]) / position, 0)
        }, 0) / rows.length
      const { estimates } = evaluateBy(rows, { type: 'weighted' })
      if (!estimates) continue
      valued++
      for (const name of Object.keys(covered)) {
        const { low, high } = estimates[name as 'ips']
        if (low <= truth && truth <= high) covered[name]!++
      }
    }
    // Three standard errors of the mean weight are exceeded by chance, too, in some 3 of 1,000.
    expect(valued).toBeGreaterThan(runs - 4)
    // 95 %, less three standard deviations of 150. The model's prior makes DM the one that is biased.
    for (const name of ['ips', 'snips', 'dr', 'switchDr']) expect(covered[name]! / valued, name).toBeGreaterThan(0.896)
    expect(covered.dm! / valued).toBeGreaterThan(0.8)
  })

  it('of the policy that logged are what it earned', () => {
    const rows = alternating(2_000, IDS, 0.25)
    const mean = rows.reduce((sum, { reward }) => sum + reward, 0) / rows.length
    const { estimates, diagnostics, refused } = evaluateBy(rows, 'uniform')
    expect(estimates!.ips.value).toBeCloseTo(mean, 12)
    expect(estimates!.snips.value).toBeCloseTo(mean, 12)
    expect(diagnostics).toMatchObject({ ess: 2_000, overlap: 1, maxWeight: 1 })
    expect(refused).toBeNull()
  })

  it('are clipped where that is asked for', () => {
    const rows = play(2_000, 1, { a: 1, b: 9 }, { a: 0.5, b: 0.1 }, 'clip')
    const fixed = { type: 'fixed' as const, contentIds: ['a'] }
    const { estimates, diagnostics } = evaluateBy(rows, fixed, 5)
    expect(diagnostics.maxWeight).toBeCloseTo(10, 9)
    expect(estimates!.clipped!.value).toBeCloseTo(estimates!.ips.value / 2, 9)
    expect(evaluateBy(rows, fixed).estimates).not.toHaveProperty('clipped')
  })

  it('leave rows with weights above √n to the model, in Switch-DR', () => {
    // Two of 20 rows have the item, which weigh 10.
    const rowsOf = (count: number) =>
      Array.from({ length: count }, (_, row): SomeRow => {
        const isRare = row % 20 === 3 || row % 20 === 10
        return { id: isRare ? 'rare' : 'common', propensity: isRare ? 0.1 : 0.9, reward: (row % 7) / 7 }
      })
    const fixed = { type: 'fixed' as const, contentIds: ['rare'] }
    const [few, many] = [80, 120].map(count => evaluateBy(rowsOf(count), fixed).estimates!)
    expect(few!.switchDr.value).toBe(few!.dm.value)
    expect(few!.switchDr.value).not.toBe(few!.dr.value)
    expect(many!.switchDr).toEqual(many!.dr)
  })

  it('take rows of a decision together: what comes twice says nothing more', () => {
    const once = play(3_000, 1, LOGGED, RATES, 'twice')
    const twice = once.flatMap((row, decision) => [
      { ...row, decision },
      { ...row, decision },
    ])
    const [single, double] = [once, twice].map(rows => evaluateBy(rows, { type: 'weighted' }).estimates!)
    expect(double!.ips.high).toBeCloseTo(single!.ips.high, 9)
    expect(double!.snips.high).toBeCloseTo(single!.snips.high, 9)
  })

  it('of a policy that learns come from rows that it did not learn from', () => {
    const rows = play(4_000, 1, { a: 1, b: 1, c: 1, d: 1 }, RATES, 'popular')
    const { estimates, diagnostics, refused } = evaluateBy(rows, { type: 'popular' })
    expect(diagnostics.rows).toBe(2_000)
    expect(estimates!.dr.low).toBeLessThan(0.495)
    expect(estimates!.dr.high).toBeGreaterThan(0.495)
    expect(refused?.code).toBe('low_sample')
  })
})

describe('a value is refused', () => {
  const evenly = (count: number) => Array.from({ length: count }, (_, n) => `i${n}`)

  it('and not estimated, where nothing of it was ever shown', () => {
    const found = evaluateBy(alternating(2_000, IDS, 0.25), { type: 'fixed', contentIds: ['new'] })
    expect(found).toMatchObject({
      estimates: null,
      refused: { code: 'zero_support' },
      diagnostics: { ess: 0, overlap: 0 },
    })
  })

  it.each([
    ['half as large as they were', 0.125],
    ['above 1', 1.25],
    ['0', 0],
  ])('and not estimated, where chances are %s', (_how, propensity) => {
    const found = evaluateBy(alternating(2_000, IDS, propensity), 'uniform')
    expect(found).toMatchObject({ estimates: null, refused: { code: 'corrupt_propensities' } })
  })

  it('where the effective sample size is below 1,000', () => {
    expect(evaluateBy(alternating(999, IDS, 0.25), 'uniform').refused?.code).toBe('low_sample')
    expect(evaluateBy(alternating(1_000, IDS, 0.25), 'uniform').refused).toBeNull()
  })

  it('where the effective sample size is below 1 % of the rows', () => {
    // Every 125th row has the item, each with the chance of that: 1,600 of 200,000 rows, 0.8 %.
    const rows = Array.from({ length: 200_000 }, (_, row) => ({
      id: row % 125 === 0 ? 'rare' : 'common',
      propensity: row % 125 === 0 ? 1 / 125 : 124 / 125,
      reward: 1,
    }))
    const { diagnostics, refused } = evaluateBy(rows, { type: 'fixed', contentIds: ['rare'] })
    expect(diagnostics.ess).toBeCloseTo(1_600, 6)
    expect(refused?.code).toBe('low_sample')
  })

  it('where less than 80 % of it was ever shown at the position', () => {
    // Ten items of ten at the first position, and as many as are given at the second.
    const overlapOf = (below: number) => {
      const rows = Array.from({ length: 4_000 }, (_, row): SomeRow => {
        const position = (row % 2) + 1
        const ids = evenly(position === 1 ? 10 : below)
        return {
          id: ids[(row >> 1) % ids.length]!,
          position,
          propensity: 1 / ids.length,
          reward: row % 5 === 0 ? 1 : 0,
        }
      })
      return evaluateBy(rows, 'uniform')
    }
    const { estimates, diagnostics, refused } = overlapOf(5)
    expect(diagnostics.overlap).toBeCloseTo(0.75, 9)
    expect(refused?.code).toBe('low_overlap')
    expect(estimates).not.toBeNull()
    expect(overlapOf(7).refused?.code).not.toBe('low_overlap')
  })

  it('where the recorded chances say that it could not be shown, although it was at other times', () => {
    const rows = alternating(4_000, IDS, 0.5).map(row => ({
      ...row,
      eligible: IDS,
      possible: 'ab'.includes(row.id) ? [true, true, false, false] : [false, false, true, true],
    }))
    const { diagnostics, refused } = evaluateBy(rows, 'uniform')
    expect(diagnostics.overlap).toBeCloseTo(0.5, 9)
    expect(refused?.code).toBe('low_overlap')
  })

  it('where estimators disagree', () => {
    // A fifth of the policy's chances is for what was never shown, which IPS counts as nothing earned.
    const rows = alternating(4_000, ['a', 'b', 'c', 'd'], 0.25, () => 1).map((row, index) => ({
      ...row,
      eligible: [...IDS, 'never'],
      possible: [true, true, true, true, false],
      reward: 1 + (index % 2) / 1_000,
    }))
    const { estimates, refused } = evaluateBy(rows, { type: 'random' })
    expect(refused?.code).toBe('estimators_disagree')
    expect(estimates!.ips.value).toBeCloseTo(0.8, 2)
    expect(estimates!.snips.value).toBeCloseTo(1, 2)
  })

  it('with a cure that cures: as many rows as it names', () => {
    const rows = (count: number) => alternating(count, IDS, 0.25)
    const { refused } = evaluateBy(rows(400), { type: 'fixed', contentIds: ['a'] })
    const count = Number(/by ([\d,]+) rows/.exec(refused!.cure)![1]!.replaceAll(',', ''))
    expect(evaluateBy(rows(count), { type: 'fixed', contentIds: ['a'] }).refused).toBeNull()
  })
})

describe('a log whose chances are sound', () => {
  it('is not said to be corrupt because of what is above, or was not eligible', () => {
    const slates = evaluateBy(play(2_000, 2, LOGGED, RATES, 'slates'), 'uniform')
    // What is above has a quarter of the policy's chances at the second position.
    expect(slates.diagnostics.overlap).toBeCloseTo((1 + 0.75) / 2, 9)
    expect(slates.estimates).not.toBeNull()
    // Two of four are eligible at the first position, of which one is left at the second.
    const narrow = play(2_000, 2, { a: 1, b: 1 }, RATES, 'narrow').map(row => ({ ...row, eligible: ['a', 'b'] }))
    const wide = play(1_000, 2, { c: 1, d: 1 }, RATES, 'wide').map(({ decision, ...row }) => ({
      ...row,
      decision: 2_000 + decision!,
      eligible: ['c', 'd'],
    }))
    const { estimates, diagnostics } = evaluateBy([...narrow, ...wide], 'uniform')
    expect(diagnostics.overlap).toBeCloseTo((0.5 + 0.25) / 2, 9)
    expect(estimates).not.toBeNull()
  })

  /** Rows in which what has a chance of 1 in 2,000 was never drawn, as in a third of logs of 2,000. */
  const unlucky = (more: Partial<SomeRow>) =>
    Array.from(
      { length: 2_000 },
      (_, row): SomeRow => ({
        id: row === 0 ? 'b' : 'a',
        reward: row % 2,
        propensity: row === 0 ? 1 : 0.9995,
        ...more,
      }),
    )

  it('and too short for what is drawn rarely is a small sample, if it has the chances of all', () => {
    const listed = evaluateBy(unlucky({ eligible: ['a', 'b'], possible: [true, true], chances: [0.9995, 0.0005] }), {
      type: 'random',
    })
    expect(listed.refused).toMatchObject({ code: 'low_sample', reason: expect.stringContaining('drawn so rarely') })
    expect(listed.estimates).not.toBeNull()
    // Without them nothing says that it was rare: the log seems to have wrong chances, and the cure names the column.
    const unlisted = evaluateBy(unlucky({}), { type: 'random' })
    expect(unlisted.refused).toMatchObject({
      code: 'corrupt_propensities',
      cure: expect.stringContaining('column candidates'),
    })
    expect(unlisted.estimates).toBeNull()
  })

  it('is still found to be corrupt where its chances do not explain the weights', () => {
    const rows = alternating(2_000, IDS, 0.5).map(row => ({
      ...row,
      eligible: IDS,
      possible: IDS.map(() => true),
      chances: IDS.map(() => 0.25),
    }))
    expect(evaluateBy(rows, 'uniform')).toMatchObject({ estimates: null, refused: { code: 'corrupt_propensities' } })
  })

  it('is a small sample where it is a single decision, or nothing was earned', () => {
    const single = evaluateBy([{ id: 'a', reward: 1, propensity: 0.25 }], 'uniform')
    expect(single).toMatchObject({ refused: { code: 'low_sample' } })
    const nothing = evaluateBy(
      alternating(4_000, IDS, 0.25, () => 0),
      'uniform',
    )
    expect(nothing.estimates!.ips).toEqual({ value: 0, low: 0, high: 0 })
    expect(nothing.refused).toMatchObject({
      code: 'low_sample',
      reason: expect.stringContaining('none of the 4000 rows'),
    })
  })
})

describe('chances that a log does not tell', () => {
  const rows = play(20, 2, LOGGED, RATES, 'chances')
  it.each([
    [{ type: 'contextual' }],
    [{ type: 'covisitation' }],
    [{ type: 'knn' }],
    [{ type: 'ease' }],
    [
      {
        type: 'ensemble',
        policies: [
          { share: 1, policy: { type: 'random' } },
          { share: 1, policy: { type: 'ease' } },
        ],
      },
    ],
    [{ type: 'popular', bySegment: true }],
    [{ type: 'affinity', exploration: 0.1 }],
    [undefined],
  ] as const)('are not guessed: %j', policy => {
    const found = policyTarget(policy as never, logOf(rows), contents)
    expect(found).toMatchObject({ ok: false, refused: { code: 'unknown_chances' } })
  })

  it('are those of weights where all content is given, or, where none is, even', () => {
    const [first] = contents
    expect(policyTarget({ type: 'weighted' }, logOf(rows), contents).ok).toBe(true)
    expect(policyTarget({ type: 'weighted' }, logOf(rows), new Map([first!])).ok).toBe(false)
    const { lots } = targetOf(policyTarget({ type: 'weighted' }, logOf(rows), new Map()))
    expect(Array.from(lots[0]!.chances)).toEqual([0.25, 0.25, 0.25, 0.25].map(chance => expect.closeTo(chance, 8)))
  })

  it('are those of interests where the log has them', () => {
    const log = logOf(play(40, 1, LOGGED, RATES, 'interests'))
    const situations = log.situations.map(situation => ({ ...situation, affinities: { c: 3, a: 1 } }))
    const { lots } = targetOf(
      policyTarget({ type: 'affinity', exploration: 0 }, { ...log, situations }, new Map(contents)),
    )
    expect(Array.from(lots[0]!.actions, action => log.ids[action])).toEqual(['c'])
  })
})
