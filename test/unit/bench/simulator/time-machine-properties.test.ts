import { createSlotComparer, decideAgain } from '@slotstream/core'
import type { PolicySpec } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { SITE, simulateDecisions, withPolicy } from '#bench/simulator/decisions.js'
import { expectedReward, respond } from '#bench/simulator/responses.js'
import { simulateWorld } from '#bench/simulator/world.js'
import { decideOtherwise } from '#core/replay/decide-otherwise.js'

const WORLD = {
  decisions: 160,
  turns: true,
  newItemEvery: 150,
  drift: 0.002,
  bots: 0.05,
  seenFactor: 0.6,
  lost: 0.1,
  delayMs: 60_000,
}
const LOGGED: PolicySpec = { type: 'affinity', exploration: 0.7 }

/**
 * Values a policy by a simulated log, and returns the truth: what it can be expected to earn at the recorded states.
 */
function play(seed: string, policy: PolicySpec, count: number) {
  const comparer = createSlotComparer(SITE)
  let sum = 0
  let rows = 0
  const slots = new Map<unknown, ReturnType<typeof withPolicy>>()
  for (const { record, rewards, request, was } of simulateDecisions(seed, LOGGED, { ...WORLD, count })) {
    const slot = slots.get(was) ?? withPolicy(was, policy)
    slots.set(was, slot)
    comparer.add({ record, rewards }, was, slot)
    const other = decideOtherwise(SITE, record, was, slot)
    for (const position of record.contentIds.keys()) {
      for (const { contentId, chance } of other.chancesAt(position, record.contentIds.slice(0, position))) {
        const index = request.items.findIndex(({ id }) => id === contentId)
        sum += chance * expectedReward(request, index, position, WORLD)
      }
      rows++
    }
  }
  return { truth: sum / rows, value: comparer.finish().value }
}

describe('the time machine in simulated worlds', () => {
  it('reproduces each decision, whatever happens in the world', () => {
    for (const policy of [LOGGED, undefined, { type: 'weighted' } as const])
      for (const { record, was } of simulateDecisions('again', policy, { ...WORLD, count: 2 }))
        expect(decideAgain(SITE, record, was).trouble).toBeUndefined()
  })

  // 95 %, and the noise of 200 runs.
  it('agrees with the truth within the 95 % interval in at least 91 % of 200 runs', () => {
    const runs = 200
    const hits = { ips: 0, snips: 0, dr: 0, switchDr: 0 }
    for (let run = 0; run < runs; run++) {
      const { truth, value } = play(`run${run}`, { type: 'affinity', exploration: 0.2 }, 1 + (run % 2))
      for (const name of Object.keys(hits) as (keyof typeof hits)[]) {
        const estimate = value.estimates?.[name]
        if (estimate && estimate.low <= truth && truth <= estimate.high) hits[name]++
      }
    }
    for (const [name, count] of Object.entries(hits)) expect(count / runs, name).toBeGreaterThanOrEqual(0.91)
  }, 240_000)
})

describe('a policy that reads more than the one that draws', () => {
  const random = { share: 99, policy: { type: 'random' } } as const
  const logged: PolicySpec = { type: 'ensemble', policies: [random, { share: 1, policy: { type: 'contextual' } }] }
  const world = { decisions: 600, turns: false, newItemEvery: 0 }

  it('is valued where it has a small share of an ensemble, and learns along', () => {
    const comparer = createSlotComparer(SITE)
    let other: ReturnType<typeof withPolicy> | undefined
    for (const { record, rewards, was } of simulateDecisions('along', logged, world)) {
      other ??= withPolicy(was, { type: 'contextual' })
      comparer.add({ record, rewards }, was, other)
    }
    const { decisions, changed, unknown, logged: mean, value } = comparer.finish()
    expect({ decisions, unknown }).toEqual({ decisions: 600, unknown: [] })
    expect(changed).toBeGreaterThan(300)
    expect(value.estimates!.snips.value).toBeGreaterThan(mean)
  })
})

describe('the simulator', () => {
  it('has tastes that drift, programs, and items that come and go', () => {
    const requests = [...simulateWorld('world', { ...WORLD, decisions: 2_000 })]
    const bots = requests.filter(({ isBot }) => isBot)
    expect(bots.length / 2_000).toBeCloseTo(0.05, 1)
    for (const { expected } of bots) expect(new Set(expected)).toEqual(new Set([0.3]))
    const ofFirst = requests.filter(({ isBot, truth }) => !isBot && truth.cell === 0).map(({ expected }) => expected[3])
    expect(new Set(ofFirst).size).toBeGreaterThan(100)
    expect(new Set(requests.flatMap(({ items }) => items.map(({ id }) => id))).size).toBe(15 + 13)
    const still = [...simulateWorld('world', { decisions: 300, turns: false, newItemEvery: 0 })]
    const first = still.filter(({ truth }) => truth.cell === 0).map(({ expected }) => JSON.stringify(expected))
    expect(new Set(first).size).toBe(1)
  })

  it('has rewards that are seen less further down, come late, or never', () => {
    const requests = [...simulateWorld('rewards', { ...WORLD, decisions: 4_000 })]
    const all = requests.map((request, n) => respond('rewards', n, request, [0, 1], WORLD))
    const seen = all.filter(([, second]) => second!.isSeen).length
    expect(seen / all.length).toBeCloseTo(0.6, 1)
    const earned = all.flat().filter(({ reward }) => reward === 1)
    const arrived = earned.filter(each => each.arrived === 1)
    expect(arrived.length / earned.length).toBeCloseTo(0.9, 1)
    const mean = arrived.reduce((sum, { afterMs }) => sum + afterMs, 0) / arrived.length
    expect(mean / WORLD.delayMs).toBeCloseTo(1, 0)
    expect(respond('rewards', 7, requests[7]!, [0, 1], WORLD)).toEqual(all[7])
  })
})
