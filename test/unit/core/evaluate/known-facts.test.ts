import type { PolicySpec, RecordedFacts } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import type { DecisionLog } from '#core/evaluate/decision-log.js'
import { evaluateLots } from '#core/evaluate/evaluate.js'
import { policyTarget, type Target } from '#core/evaluate/target/target.js'
import { logOf, play } from './some-log.js'

const IDS = ['a', 'b', 'c', 'd']
const contents = new Map(IDS.map(id => [id, { id, category: id }]))

/** Two kinds of persons: one likes a, the other b. What is known of them says which kind they are. */
const RATES = [
  { a: 0.5, b: 0.1, c: 0.1, d: 0.1 },
  { a: 0.1, b: 0.5, c: 0.1, d: 0.1 },
] as Record<string, number>[]
const KNOWN: RecordedFacts[][] = [
  [
    { tokens: [11], segments: ['green'], items: ['x', 'a'] },
    { tokens: [11], segments: ['green'], items: ['x'] },
  ],
  [
    { tokens: [22], segments: ['red'], items: ['y', 'b'] },
    { tokens: [22], segments: ['red'], items: ['y'] },
  ],
]

/** Makes a log of content that was drawn at random for persons of both kinds. */
function someLog(rows: number): { log: DecisionLog; kinds: number[] } {
  const random = seededRandom('kinds')
  const kinds = Array.from({ length: rows }, () => Math.floor(2 * random()))
  const log = logOf(
    kinds.map(kind => {
      const id = IDS[Math.floor(4 * random())]!
      return { id, propensity: 0.25, reward: random() < RATES[kind]![id]! ? 1 : 0 }
    }),
    IDS,
  )
  const situations = kinds.map((kind, row) => ({
    position: 0,
    above: [],
    affinities: {},
    known: KNOWN[kind]![row % 2]!,
  }))
  return { log: { ...log, situations, situation: Uint32Array.from(situations.keys()) }, kinds }
}

function targetOf(policy: PolicySpec | undefined, log: DecisionLog): Target {
  const found = policyTarget(policy, log, contents)
  if (!found.ok) throw new Error(found.refused.reason)
  return found.target
}

describe('policies that choose by what is known of the person', () => {
  const { log, kinds } = someLog(6_000)

  it.each([
    [undefined, 0.43],
    [{ type: 'contextual' }, 0.43],
    [{ type: 'contextual', draw: 'gaps' }, 0.3],
    [{ type: 'popular', bySegment: true }, 0.43],
    [{ type: 'ease' }, 0.43],
    [{ type: 'knn' }, 0.43],
    [{ type: 'covisitation' }, 0.25],
    [
      {
        type: 'ensemble',
        policies: [
          { share: 1, policy: { type: 'random' } },
          { share: 3, policy: { type: 'ease' } },
        ],
      },
      0.35,
    ],
  ] as [PolicySpec | undefined, number][])('are valued by the record: %j', (policy, least) => {
    const { lots, range } = targetOf(policy, log)
    const { estimates, diagnostics } = evaluateLots(log, range, lots)
    let truth = 0
    for (let row = range.from; row < range.to; row++) {
      const { actions, chances } = lots[row]!
      for (let place = 0; place < actions.length; place++)
        truth += (chances[place]! * RATES[kinds[row]!]![log.ids[actions[place]!]!]!) / (range.to - range.from)
    }
    expect(range).toEqual({ from: 3_000, to: 6_000 })
    expect(truth).toBeGreaterThan(least)
    expect(diagnostics.overlap).toBe(1)
    const { low, high } = estimates!.dr
    expect(low).toBeLessThan(truth)
    expect(high).toBeGreaterThan(truth)
  })

  it('are refused where some records do not say it, with what would cure it', () => {
    const situations = log.situations.map((situation, row) => (row === 7 ? { ...situation, known: {} } : situation))
    for (const policy of [{ type: 'contextual' }, { type: 'ease' }, { type: 'trending', bySegment: true }] as const)
      expect(policyTarget(policy, { ...log, situations }, contents)).toMatchObject({
        ok: false,
        refused: {
          code: 'unknown_chances',
          reason: expect.stringContaining('in 1 of 6000'),
          cure: expect.stringContaining('ensemble'),
        },
      })
  })
})

describe('an ensemble', () => {
  it('is the mean of its policies, by their shares', () => {
    const { log } = someLog(10)
    const random = { type: 'random' } as const
    const fixed = { type: 'fixed', contentIds: ['a'] } as const
    const policies = [
      { share: 1, policy: random },
      { share: 3, policy: { ...fixed, contentIds: ['a'] } },
    ]
    const { lots } = targetOf({ type: 'ensemble', policies }, log)
    const chances = Object.fromEntries(
      Array.from(lots[0]!.actions, (action, n) => [log.ids[action], lots[0]!.chances[n]]),
    )
    expect(chances.a).toBeCloseTo(0.8125, 8)
    expect(chances.d).toBeCloseTo(0.0625, 8)
  })
})

describe('slates of a policy that samples its posterior', () => {
  it('are valued position by position', () => {
    const log = logOf(play(400, 2, { a: 1, b: 1, c: 1, d: 1 }, { a: 0.5, b: 0.4, c: 0.2, d: 0.1 }, 'slates'))
    const { lots } = targetOf({ type: 'thompson' }, log)
    for (const [place, { above }] of log.situations.entries()) {
      const { actions, chances } = lots[place]!
      expect(Array.from(chances).reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9)
      for (const action of above) expect(Array.from(actions)).not.toContain(action)
    }
  })
})
