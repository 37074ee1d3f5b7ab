import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { arrivalOf, checkLoss, withoutLoss } from '#core/experiments/checks/loss.js'
import { type ArmSums, addSums, type Lift, relativeLiftOf } from '#core/experiments/lift.js'
import { type Counted, resultsOf } from '#core/experiments/results.js'
import { LOSS_STRATA } from '#core/learning/sums/loss-strata.js'

const NONE: ArmSums = { units: 0, sum: 0, squares: 0 }
const MESSAGES = 10
const UNITS = 3_000

/**
 * Persons who send ten messages each, of which one may be a click, and lose some: every other person loses a share
 * `lost` of them, the others none.
 */
function play(rate: number, lost: number, random: () => number) {
  const strata = Array.from({ length: LOSS_STRATA.length + 1 }, () => ({ loss: { ...NONE }, earned: { ...NONE } }))
  for (let unit = 0; unit < UNITS; unit++) {
    const isLossy = random() < 0.5
    let [missing, reward] = [0, 0]
    for (let message = 0; message < MESSAGES; message++) {
      const isClick = message === 5 && random() < rate
      if (isLossy && random() < lost) missing++
      else if (isClick) reward = 1
    }
    const share = missing / MESSAGES
    const place = LOSS_STRATA.findIndex(limit => share <= limit)
    const stratum = strata.at(place)!
    note(stratum.loss, share)
    note(stratum.earned, reward)
  }
  const arrived = strata.map(({ earned }) => earned).reduce(addSums, NONE)
  const weighed = strata.map(({ loss, earned }) => ({ ...earned, arrival: arrivalOf(loss) }))
  return {
    loss: strata.map(({ loss }) => loss).reduce(addSums, NONE),
    arrived,
    weighted: withoutLoss(arrived, weighed),
  }
}

function note(sums: ArmSums, value: number): void {
  sums.units++
  sums.sum += value
  sums.squares += value ** 2
}

const isWithin = (truth: number, { low, high }: Lift) => low <= truth && truth <= high

describe('a lift that is weighted for losses', () => {
  it('covers the truth where one arm loses more, which is flagged; as it arrived it does not', () => {
    const random = seededRandom('losses')
    let [flagged, covered, raw] = [0, 0, 0]
    for (let run = 0; run < 200; run++) {
      const [control, arm] = [play(0.5, 0, random), play(0.55, 0.5, random)]
      if (!checkLoss([control.loss, arm.loss]).ok) flagged++
      if (isWithin(0.1, relativeLiftOf(arm.weighted, control.weighted)!)) covered++
      if (isWithin(0.1, relativeLiftOf(arm.arrived, control.arrived)!)) raw++
    }
    expect(flagged).toBe(200)
    expect(covered).toBeGreaterThanOrEqual(190)
    expect(raw).toBeLessThan(20)
  })

  it('is not flagged where both arms lose alike, and covers the truth there as well', () => {
    const random = seededRandom('clean losses')
    let [flagged, covered] = [0, 0]
    for (let run = 0; run < 200; run++) {
      const [control, arm] = [play(0.5, 0.3, random), play(0.55, 0.3, random)]
      if (!checkLoss([control.loss, arm.loss]).ok) flagged++
      if (isWithin(0.1, relativeLiftOf(arm.weighted, control.weighted)!)) covered++
    }
    expect(flagged).toBeLessThanOrEqual(1)
    expect(covered).toBeGreaterThanOrEqual(190)
  })

  it('is what results show where losses are flagged, and only there', () => {
    const random = seededRandom('results')
    const [control, arm] = [play(0.5, 0, random), play(0.5, 0.8, random)]
    const armOf = (id: string, { arrived, weighted }: typeof arm) => ({
      id,
      decisions: UNITS,
      metrics: [arrived],
      guardrails: [],
      weighted: { metrics: [weighted], guardrails: [] },
    })
    const results = (loss: Counted['loss']) =>
      resultsOf(
        { metrics: ['Slot Clicked'] },
        {
          arms: [armOf('control', control), armOf('new', arm)],
          sampleRatio: { ok: true, e: 1 },
          propensities: { ok: true, e: 1 },
          loss,
        },
      )
    const flagged = results({ ok: false, difference: 0.4 })
    expect(flagged.loss).toEqual({ ok: false, difference: 0.4, weighted: true })
    expect(flagged.lift).toMatchObject(relativeOf(arm.weighted, control.weighted))
    expect(flagged.arms[1]).toMatchObject({ rewards: arm.arrived.sum, value: arm.weighted.sum / UNITS })
    expect(flagged).toMatchObject({ stop: 'loss' })
    expect(flagged.verdict).toMatch(
      /^Don't trust the numbers: .* Weighted for what got lost: No difference is certain yet/,
    )
    const clean = results({ ok: true, difference: 0 })
    expect(clean.loss).toEqual({ ok: true, difference: 0, weighted: false })
    expect(clean.lift).toMatchObject(relativeOf(arm.arrived, control.arrived))
  })
})

function relativeOf(arm: ArmSums, control: ArmSums) {
  const { value, low, high } = relativeLiftOf(arm, control)!
  return { value, low, high }
}
