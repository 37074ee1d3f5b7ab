import { describe, expect, it } from 'vitest'
import { logGamma } from '#core/algebra/log-gamma.js'
import { normalFrom } from '#core/algebra/normal.js'
import { seededRandom } from '#core/decide/random.js'
import { packReasons } from '#core/decide/record/pack-reasons.js'
import { chancesOf } from '#core/draw/lottery.js'
import { packLottery } from '#core/draw/pack-lottery.js'
import { PROBABILITY_SCALE, pickUnit, toUnits } from '#core/draw/probability.js'
import { createDrawAudit } from '#core/experiments/checks/draw-audit.js'
import { checkLoss, correctForLoss } from '#core/experiments/checks/loss.js'
import { createSampleRatio } from '#core/experiments/checks/sample-ratio.js'
import { drawsOf } from '#core/experiments/draws-of.js'

describe('ln Γ', () => {
  it.each([
    [1, 0],
    [5, Math.log(24)],
    [0.5, 0.5723649429247001],
    [100, 359.1342053695754],
    [1e6, 12815504.569147611],
  ])('of %d is %d', (x, value) => {
    expect(Math.abs(logGamma(x) - value)).toBeLessThan(1e-9 * Math.max(1, Math.abs(value)))
  })
})

/** Counts of a day, by the normal approximation. */
function countsOf(units: number, first: number, random: () => number): number[] {
  const one = Math.round(units * first + Math.sqrt(units * first * (1 - first)) * normalFrom(random))
  return [one, units - one]
}

describe('the sample-ratio check', () => {
  it('is the same for a block of units as for each of them, and as the formula of multinomial counts', () => {
    const shares = [0.5, 0.3, 0.2]
    const block = createSampleRatio(3)
    block.note(shares, [60, 25, 40])
    const each = createSampleRatio(3)
    for (const [arm, count] of [60, 25, 40].entries())
      for (let i = 0; i < count; i++)
        each.note(
          shares,
          shares.map((_, index) => (index === arm ? 1 : 0)),
        )
    expect(each.now().e).toBeCloseTo(block.now().e, 8)
    expect(block.now().ok).toBe(true)
  })

  it('lets 5,000 against 5,200 pass, and finds 50,000 against 52,000', () => {
    const fine = createSampleRatio(2)
    fine.note([0.5, 0.5], [5_000, 5_200])
    expect(fine.now().ok).toBe(true)
    const wrong = createSampleRatio(2)
    wrong.note([0.5, 0.5], [50_000, 52_000])
    expect(wrong.now().ok).toBe(false)
  })

  it('flags a planted mismatch of one percentage point, and its clean twin never, while shares change', () => {
    const random = seededRandom('ratio')
    const days = [0.5, 0.5, 0.1, 0.3, 0.8, 0.5]
    const [clean, planted] = [createSampleRatio(2), createSampleRatio(2)]
    let flagged = -1
    for (let day = 0; day < 120; day++) {
      const share = days[Math.floor(day / 20)]!
      clean.note([share, 1 - share], countsOf(1_000, share, random))
      planted.note([share, 1 - share], countsOf(1_000, share + 0.01, random))
      expect(clean.now().ok).toBe(true)
      if (flagged < 0 && !planted.now().ok) flagged = day
    }
    expect(flagged).toBeGreaterThan(0)
  })

  it('is passed by 2,000 clean experiments that are looked at 30 times, but for 0.5 % at most', () => {
    const random = seededRandom('clean ratios')
    let flagged = 0
    for (let i = 0; i < 2_000; i++) {
      const check = createSampleRatio(2)
      let ok = true
      for (let day = 0; day < 30; day++) {
        const share = day < 10 ? 0.5 : 0.2
        check.note([share, 1 - share], countsOf(500, share, random))
        ok &&= check.now().ok
      }
      if (!ok) flagged++
    }
    expect(flagged).toBeLessThanOrEqual(10)
  })

  it('flags a unit in an arm without a share', () => {
    const check = createSampleRatio(2)
    check.note([1, 0], [10, 1])
    expect(check.now().ok).toBe(false)
    expect(Number.isFinite(check.now().e)).toBe(true)
  })
})

const PLACES = [0, 1, 2, 3, 4]
/** What policies record: even chances, one ahead, and a sure one with an exploration floor. */
const CHANCES = [
  [0.2, 0.2, 0.2, 0.2, 0.2],
  [0.3, 0.25, 0.2, 0.15, 0.1],
  [0.1, 0.4, 0.2, 0.2, 0.1],
].map(toUnits)

function played(decisions: number, seed: string, bias: number, from = 0) {
  const random = seededRandom(seed)
  const audit = createDrawAudit()
  let alarm: number | undefined
  for (let decision = 0; decision < decisions; decision++) {
    const units = CHANCES[decision % CHANCES.length]!
    const point = random()
    // Of every other draw, 2 in 100 go to the third place.
    const isStolen = decision >= from && random() < bias
    const drawn = isStolen ? 2 : pickUnit(units, point)
    audit.note({ places: PLACES, units, scale: PROBABILITY_SCALE, drawn })
    if (alarm === undefined && decision % 100 === 99 && !audit.now().ok) alarm = decision + 1
  }
  return { alarm, ...audit.now() }
}

describe('the audit of draws', () => {
  // A share s of the draws goes to a place with the chance p: it is drawn s (1 − p) more often.
  it('raises the alarm within 20,000 decisions where a place is drawn two percentage points more often', () => {
    for (const seed of ['one', 'two', 'three', 'four', 'five']) {
      const { alarm, suspect } = played(20_000, seed, 0.025)
      expect(alarm).toBeLessThanOrEqual(20_000)
      expect(suspect).toBe(2)
    }
  })

  it('raises none in a million decisions that are drawn as recorded', () => {
    const { ok, draws } = played(1_000_000, 'clean', 0)
    expect(draws).toBe(1_000_000)
    expect(ok).toBe(true)
  })

  it('raises it where the bias begins after 150,000 clean decisions, within 20,000 more', () => {
    const { alarm } = played(170_000, 'late', 0.025, 150_000)
    expect(alarm).toBeGreaterThan(150_000)
  })

  it('finds the bias of one arm of two, and of one that is shown always', () => {
    const random = seededRandom('two arms')
    const audit = createDrawAudit()
    const units = toUnits([0.5, 0.5])
    for (let i = 0; i < 20_000; i++)
      audit.note({ places: [7, 9], units, scale: PROBABILITY_SCALE, drawn: random() < 0.52 ? 0 : 1 })
    expect(audit.now().ok).toBe(false)
    const stuck = createDrawAudit()
    for (let i = 0; i < 500; i++) stuck.note({ places: PLACES, units: CHANCES[0]!, scale: PROBABILITY_SCALE, drawn: 0 })
    expect(stuck.now().ok).toBe(false)
  })

  it('flags at once what could not be drawn, and never what could only be drawn', () => {
    const audit = createDrawAudit()
    for (let i = 0; i < 1_000; i++) audit.note({ places: [0], units: [8], scale: 8, drawn: 0 })
    expect(audit.now().e).toBeCloseTo(1, 10)
    audit.note({ places: [0, 1], units: [8, 0], scale: 8, drawn: 1 })
    expect(audit.now().ok).toBe(false)
    expect(Number.isFinite(audit.now().e)).toBe(true)
  })

  it('wins nothing on average where the chances are true', () => {
    const random = seededRandom('fair')
    let sum = 0
    for (let run = 0; run < 2_000; run++) {
      const audit = createDrawAudit()
      for (let i = 0; i < 150; i++) {
        const units = CHANCES[i % CHANCES.length]!
        audit.note({ places: PLACES, units, scale: PROBABILITY_SCALE, drawn: pickUnit(units, random()) })
      }
      sum += audit.now().capital
    }
    expect(Math.abs(sum / 2_000 - 1)).toBeLessThan(0.05)
  })

  it('goes on from what was stored as if it had not stopped', () => {
    const random = seededRandom('stored')
    const whole = createDrawAudit()
    let part = createDrawAudit()
    for (let i = 0; i < 3_000; i++) {
      const units = CHANCES[i % CHANCES.length]!
      const draw = { places: PLACES, units, scale: PROBABILITY_SCALE, drawn: pickUnit(units, random()) }
      whole.note(draw)
      part.note(draw)
      if (i % 700 === 0) part = createDrawAudit(undefined, JSON.parse(JSON.stringify(part.state())))
    }
    expect(part.now()).toEqual(whole.now())
    whole.note({ places: [0, 1], units: [8, 0], scale: 8, drawn: 1 })
    expect(createDrawAudit(undefined, JSON.parse(JSON.stringify(whole.state()))).now().ok).toBe(false)
  })

  it.each([
    ['one of 60, all alike', 60, 1 / 60, 50],
    ['one of 1,000, all alike', 1_000, 1 / 1_000, 900],
    ['the last of 100, which has half of the draws', 100, 0.5, 99],
  ])(
    'finds two percentage points more of %s, within 20,000 decisions, and flags no clean twin',
    (_, count, chance, place) => {
      const random = seededRandom(`many ${count}`)
      const places = Array.from({ length: count }, (_, index) => index)
      const units = toUnits(places.map(index => (index === place ? chance : (1 - chance) / (count - 1))))
      const [clean, biased] = [createDrawAudit(), createDrawAudit()]
      const stolen = 0.02 / (1 - chance)
      for (let i = 0; i < 20_000 && biased.now().ok; i++) {
        const drawn = pickUnit(units, random())
        clean.note({ places, units, scale: PROBABILITY_SCALE, drawn })
        biased.note({ places, units, scale: PROBABILITY_SCALE, drawn: random() < stolen ? place : drawn })
      }
      expect(clean.now().ok).toBe(true)
      expect(biased.now().ok).toBe(false)
    },
  )
})

describe('the draws of a record', () => {
  const CONTENTS = ['a', 'b', 'c', 'd', 'e']

  /** Notes slates of three, whose position of the number given is drawn with the wrong chances for each other slate. */
  function slates(wrong: number | undefined) {
    const random = seededRandom('slates')
    const audit = createDrawAudit()
    const lottery = { rule: 'shares' as const, exploration: 0, shares: [5, 4, 3, 2, 1] }
    for (let slate = 0; slate < 5_000; slate++) {
      const rest = [...CONTENTS.keys()]
      const drawn = [0, 1, 2].map(position => {
        const isWrong = position === wrong && rest.at(-1) === 4 && random() < 0.1
        const place = isWrong ? rest.length - 1 : pickUnit(chancesOf(lottery, rest), random())
        return rest.splice(place, 1)[0]!
      })
      const stages = [{ of: CONTENTS.length, lottery: packLottery(lottery), drawn }]
      for (const draw of drawsOf({ draw: { contents: packReasons(new Uint8Array(CONTENTS.length)), stages } }))
        audit.note(draw)
    }
    return audit.now()
  }

  it('are those of all positions, so that a bias further down is found, too', () => {
    expect(slates(undefined)).toMatchObject({ ok: true, draws: 15_000 })
    expect(slates(0).ok).toBe(false)
    expect(slates(2).ok).toBe(false)
  })
})

describe('the check of losses', () => {
  /** Of each of so many units, the share of messages that is missing: all of one in so many. */
  const lost = (units: number, rate: number) => ({ units, sum: units * rate, squares: units * rate })

  it('flags an arm that loses more, and its clean twin not', () => {
    expect(checkLoss([lost(20_000, 0.02), lost(20_000, 0.05)])).toMatchObject({ ok: false })
    expect(checkLoss([lost(20_000, 0.02), lost(20_000, 0.021)])).toMatchObject({ ok: true })
    expect(checkLoss([lost(50, 0), lost(50, 0.9)])).toMatchObject({ ok: true })
    // Certain, and too small to matter.
    expect(checkLoss([lost(10_000_000, 0.02), lost(10_000_000, 0.022)])).toMatchObject({ ok: true })
  })

  it('weights what arrived by how much arrives, so that an arm that loses a tenth is as good as its twin', () => {
    const whole = { units: 1_000, sum: 100, squares: 100, arrival: 1 }
    const strata = [
      { units: 500, sum: 45, squares: 45, arrival: 0.9 },
      { units: 500, sum: 50, squares: 50, arrival: 1 },
    ]
    expect(correctForLoss(strata).sum).toBeCloseTo(correctForLoss([whole]).sum, 10)
    expect(correctForLoss(strata).squares).toBeGreaterThan(100)
    expect(correctForLoss([{ units: 1, sum: 1, squares: 1, arrival: 0 }]).sum).toBe(10)
  })
})
