import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { createTournament } from '#core/replay/tournament.js'
import { recordOf, SITE, slotOf } from './some-decision.js'

const CONTENTS = [{ id: 'a' }, { id: 'b' }, { id: 'c' }]
const RATES: Record<string, number> = { a: 0.5, b: 0.3, c: 0.1 }
const was = slotOf({ policy: { type: 'random' } }, CONTENTS)
const fixed = (id: string) => slotOf({ policy: { type: 'fixed', contentIds: [id] } }, CONTENTS)

/** Plays a slot that shows anything, and asks how candidates stand after each of some numbers of decisions. */
function play(seed: string, slots: Parameters<ReturnType<typeof createTournament>['add']>[2], looks: number[]) {
  const random = seededRandom(seed)
  const tournament = createTournament(
    SITE,
    slots.map((_, n) => `candidate${n}`),
  )
  const seen = []
  for (let n = 0; n < Math.max(...looks); n++) {
    const record = recordOf(was, { seed: `${seed}${n}`, visitorId: `v${n}` })
    const reward = random() < RATES[record.contentIds[0]!]! ? 1 : 0
    tournament.add({ record, rewards: [reward] }, was, slots)
    if (looks.includes(n + 1)) seen.push(tournament.standings())
  }
  return seen
}

describe('a tournament', () => {
  it('tells the better and the worse from what runs, and not before it can', () => {
    const [early, late] = play('t', [fixed('a'), fixed('c'), was], [30, 4_000])
    expect(new Set(early!.candidates.map(({ standing }) => standing))).toEqual(new Set(['undecided']))
    expect(early!.candidates[0]!.refused).toMatchObject({ code: 'low_sample', cure: expect.any(String) })
    expect(late!.candidates.map(({ name, standing }) => [name, standing])).toEqual([
      ['candidate0', 'better'],
      ['candidate2', 'undecided'],
      ['candidate1', 'worse'],
    ])
    expect(late!.running.value).toBeCloseTo(0.3, 1)
    expect(late!.candidates[0]!.value).toBeCloseTo(0.5, 1)
  })

  it('does not value a candidate that shows what could not be drawn, or reads what is not recorded', () => {
    const fresh = slotOf({ policy: { type: 'random' } }, [...CONTENTS, { id: 'z' }])
    const reading = slotOf({ policy: { type: 'contextual' } }, CONTENTS)
    const [seen] = play('u', [fresh, reading, undefined], [5])
    expect(seen!.candidates.map(({ refused }) => refused?.code).sort()).toEqual([
      'low_overlap',
      'unknown_chances',
      'unknown_chances',
    ])
    const reasons = new Map(seen!.candidates.map(({ name, standing, reason }) => [name, [standing, reason]]))
    expect(reasons.get('candidate0')).toEqual(['unknown', 'it would show z, which could not be drawn'])
    expect(reasons.get('candidate1')).toEqual([
      'unknown',
      expect.stringContaining('does not say what contextual reads'),
    ])
    expect(reasons.get('candidate2')).toEqual(['unknown', 'its catalog has no such slot'])
  })

  it('calls no candidate better that is what runs, looked at every 100 decisions, in any of 20 worlds', () => {
    const looks = Array.from({ length: 5 }, (_, n) => 100 * (n + 1))
    const standings = Array.from({ length: 20 }, (_, n) => play(`aa${n}`, [was], looks)).flat()
    const odd = standings.filter(({ candidates }) => candidates[0]!.standing !== 'undecided')
    expect(odd).toEqual([])
  })
})
