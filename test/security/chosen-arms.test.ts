import { describe, expect, it } from 'vitest'
import { createSampleRatio } from '#core/experiments/checks/sample-ratio.js'
import { armOf } from '#core/index.js'

/**
 * Arms, holdouts and shares of ensembles follow from a hash without a key, and a page chooses its `anonymousId`.
 * Holds what docs/security.md says of it: ids that were picked for one arm are found by the check of shares.
 */
const EXPERIMENT = {
  id: 'checkout',
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'short', share: 0.5 },
  ],
}
const SHARES = [0.5, 0.5]

/** Ids of one arm, as an attacker finds them. */
function* idsOf(arm: number): Generator<string> {
  for (let n = 0; ; n++) if (armOf('shop', `bot-${n}`, EXPERIMENT) === arm) yield `bot-${n}`
}

/** The check after so many days of visitors, some of whom an attacker chose for the second arm. */
function afterDays(days: number, { visitors, chosen }: { visitors: number; chosen: number }) {
  const check = createSampleRatio(SHARES.length)
  const bots = idsOf(1)
  let known = 0
  for (let day = 0; day < days; day++) {
    const counts = SHARES.map(() => 0)
    const note = (personId: string) => counts[armOf('shop', personId, EXPERIMENT)]!++
    for (let n = 0; n < visitors; n++) note(`visitor-${known++}`)
    for (let n = 0; n < chosen; n++) note(bots.next().value!)
    check.note(SHARES, counts)
  }
  return check.now()
}

describe('ids that were chosen for an arm', () => {
  it('are easily found', () => {
    expect(idsOf(1).next().value).toMatch(/^bot-\d$/)
  })

  it('stop the experiment, from a tenth of the persons on', () => {
    expect(afterDays(28, { visitors: 500, chosen: 0 })).toMatchObject({ ok: true })
    expect(afterDays(28, { visitors: 100, chosen: 11 })).toMatchObject({ ok: false })
    expect(afterDays(28, { visitors: 500, chosen: 55 })).toMatchObject({ ok: false })
  })

  it('stay unseen where they are 1 % of the persons', () => {
    expect(afterDays(28, { visitors: 500, chosen: 5 })).toMatchObject({ ok: true })
  })
})
