import { resultsOf } from '@slotstream/core'
import { expect, it } from 'vitest'
import { armOf } from '#aggregator/results/count-arms.js'

/** As JSON has what ClickHouse counted: what is no finite number is null. */
const row = (id: string, sum: number | null) => ({
  unit_arm: id,
  unit_shares: [0.5, 0.5],
  ...{ units: 5_000, decisions: 9_000, sum0: sum, squares0: sum },
})

it('a sum that is no finite number is not taken for 0: the verdict says so, and nothing is promoted', () => {
  const rows = [row('control', 500), row('new', 900), row('new', null)]
  const counted = {
    arms: ['control', 'new'].map(id => armOf(id, rows, 1, 0)),
    ...{ sampleRatio: { ok: true, e: 1 }, propensities: { ok: true, e: 1 }, loss: { ok: true, difference: 0 } },
  }
  expect(counted.arms[1]!.metrics[0]!.sum).toBeNaN()
  // Results are made of what comes by NATS, as JSON.
  const told = resultsOf(
    { metrics: ['Order Completed'], stop: { apply: 'promote' } },
    JSON.parse(JSON.stringify(counted)),
  )
  expect(told).toMatchObject({
    stop: null,
    lift: { arm: null, value: null },
    arms: [{ rewards: 500 }, { rewards: null, value: null, low: null }],
  })
  expect(told.verdict).toBe(
    "Don't trust the numbers: what an arm earned adds up to no finite number. Look for amounts that are none.",
  )
  expect(
    resultsOf({ metrics: ['Order Completed'] }, { ...counted, arms: [armOf('control', rows, 1, 0)] }).verdict,
  ).toMatch(/^Too early/)
})

it('where a guardrail has no finite sum, no lift is told either, by which an arm could be promoted', () => {
  const rows = [row('control', 500), row('new', 900)].map(each => ({ ...each, sum1: null, squares1: null }))
  const told = resultsOf(
    { metrics: ['Slot Clicked'], guardrails: ['Order Completed'], stop: { apply: 'promote' } },
    {
      arms: ['control', 'new'].map(id => armOf(id, rows, 1, 1)),
      ...{ sampleRatio: { ok: true, e: 1 }, propensities: { ok: true, e: 1 }, loss: { ok: true, difference: 0 } },
    },
  )
  expect(told).toMatchObject({ stop: null, lift: { arm: null, low: null } })
})
