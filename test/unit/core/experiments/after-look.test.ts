import { armsInPlay, type Experiment, parseExperiments } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { afterLook, meaningOfStandings, verdictOfTournament } from '#core/experiments/after-look.js'
import { assignmentOf } from '#core/experiments/assign.js'
import type { Standing, Standings } from '#core/replay/tournament.js'

const EXPERIMENT: Experiment = {
  id: 'cup',
  slot: 'hero',
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'bold', share: 0.3, policy: { type: 'random' } },
    { id: 'calm', share: 0.2, contentIds: ['a'] },
  ],
  metrics: ['Slot Clicked'],
  tournament: {},
}
const AT = Date.UTC(2026, 5, 1)

function standings(of: Record<string, Standing>): Standings {
  const candidates = Object.entries(of).map(([name, standing]) => ({
    ...{ name, standing, value: 0.4, low: 0.3, high: 0.5, decisions: 5_000, reason: 'so', ess: 5_000, maxWeight: 2 },
    refused:
      standing === 'unknown' ? { code: 'low_overlap' as const, reason: 'it would show z', cure: 'explore' } : null,
  }))
  return { running: { value: 0.2, low: 0.1, high: 0.3, decisions: 5_000 }, leftOut: 0, candidates }
}
const after = (of: Record<string, Standing>, rules: Experiment['tournament'] = {}, more: Partial<Experiment> = {}) =>
  afterLook({ ...EXPERIMENT, ...more, tournament: rules }, standings(of), AT)

describe('a look at the candidates of a tournament', () => {
  it('does nothing while nothing is certain, or known', () => {
    expect(after({ bold: 'undecided', calm: 'unknown' })).toBeUndefined()
  })

  it('drops the worse, and tries the first of the better ones', () => {
    expect(after({ bold: 'worse', calm: 'better' })).toEqual({
      arm: 'calm',
      steps: [
        expect.objectContaining({ arm: 'bold', step: 'dropped', running: { value: 0.2, low: 0.1, high: 0.3 } }),
        expect.objectContaining({ arm: 'calm', step: 'tried', at: '2026-06-01T00:00:00.000Z', value: 0.4 }),
      ],
    })
    expect(after({ bold: 'better', calm: 'better' })).toMatchObject({ arm: 'bold' })
  })

  it('promotes at once, or tells only, where that is the rule', () => {
    const promoted = after({ bold: 'better', calm: 'undecided' }, { apply: 'promote' })
    expect(promoted).toMatchObject({ steps: [{ step: 'promoted' }], stopped: { reason: 'better', arm: 'bold' } })
    expect(promoted).not.toHaveProperty('arm')
    expect(after({ bold: 'better', calm: 'worse' }, { apply: 'tell' })).toBeUndefined()
  })

  it('does nothing with a candidate that had its step, while another is tried, or once it ended', () => {
    const [step] = after({ bold: 'better' })!.steps
    expect(after({ bold: 'better', calm: 'undecided' }, { steps: [step!] })).toBeUndefined()
    expect(after({ bold: 'worse', calm: 'better' }, { steps: [step!] })).toMatchObject({ arm: 'calm' })
    expect(after({ calm: 'better' }, { arm: 'bold' })).toBeUndefined()
    expect(after({ bold: 'better' }, {}, { stopped: { at: '2026-06-01', reason: 'asked' } })).toBeUndefined()
  })

  it('ends where no candidate is left', () => {
    const steps = after({ bold: 'worse' })!.steps
    expect(after({ bold: 'worse', calm: 'worse' }, { steps })).toMatchObject({ stopped: { reason: 'worse' } })
  })

  it('is told in plain words', () => {
    expect(meaningOfStandings(standings({ bold: 'better', calm: 'unknown' }))).toBe(
      'No person is shown a candidate yet. By 5,000 decisions "bold" would be better than what runs.',
    )
    expect(meaningOfStandings(standings({ bold: 'undecided', calm: 'unknown' }))).toMatch(
      /no candidate is better for certain\. "calm" cannot be valued: it would show z\.$/,
    )
    expect(meaningOfStandings(standings({ bold: 'worse', calm: 'worse' }))).toMatch(/all would be worse/)
    const held = 'the policy was changed'
    expect(meaningOfStandings({ ...standings({ bold: 'better' }), held })).toMatch(
      /better than what runs\. Nothing is done: the policy was changed\.$/,
    )
    expect(meaningOfStandings(undefined)).toMatch(/not looked at yet/)
    expect(meaningOfStandings({ ...standings({}), running: { value: 0, low: 0, high: 1, decisions: 0 } })).toMatch(
      /there is no decision yet/,
    )
    expect(meaningOfStandings(standings({ bold: 'unknown', calm: 'unknown' }))).toMatch(
      /certain\. "bold" and "calm" cannot be valued: it would show z\.$/,
    )
  })

  it('is what the verdict says, before a candidate is tried and where one was promoted at once', () => {
    const now = standings({ bold: 'better', calm: 'unknown' })
    expect(verdictOfTournament(EXPERIMENT, now)).toBe(meaningOfStandings(now))
    const stopped = { at: '2026-06-01T00:00:00Z', reason: 'better' as const, arm: 'bold', verdict: '"bold" is better' }
    expect(verdictOfTournament({ ...EXPERIMENT, stopped }, now)).toBe('"bold" is better')
    expect(verdictOfTournament({ ...EXPERIMENT, tournament: { arm: 'bold' } }, now)).toBeUndefined()
    expect(verdictOfTournament({}, undefined)).toBeUndefined()
  })
})

describe('the arms of a tournament', () => {
  const persons = Array.from({ length: 2_000 }, (_, n) => `person-${n}`)
  const armsOf = (experiment: Experiment) =>
    persons.map(person => assignmentOf('shop', person, 'hero', [experiment])?.arm)

  it('have no person before one is tried, and then its share beside the control', () => {
    expect(new Set(armsOf(EXPERIMENT))).toEqual(new Set([undefined]))
    const tried = { ...EXPERIMENT, tournament: { arm: 'bold' } }
    const arms = armsOf(tried)
    expect(arms.filter(arm => arm === 'bold').length / persons.length).toBeCloseTo(0.3, 1)
    expect(arms.filter(arm => arm === 'control').length).toBe(
      persons.length - arms.filter(arm => arm === 'bold').length,
    )
    expect(armsInPlay(tried).map(({ share }) => share)).toEqual([0.7, 0.3])
    expect(assignmentOf('shop', 'person-1', 'hero', [tried])!.shares).toEqual([0.7, 0.3])
  })

  it.each([
    [
      { arms: EXPERIMENT.arms.map(arm => ({ ...arm, policy: { type: 'random' }, contentIds: undefined })) },
      /first arm/,
    ],
    [{ guardrails: ['Order Completed'], tournament: { apply: 'promote' } }, /apply must be try/],
    [{ tournament: { arm: 'control' } }, /tournament\.arm must be one of bold, calm/],
    [{ tournament: { clickMinutes: 0 } }, /clickMinutes must be a whole number/],
    [{ tournament: { steps: [{ arm: 'bold' }] } }, /steps\[0\]\.at must be/],
  ])('are rejected with %j', (fields, reason) => {
    const checked = parseExperiments([{ ...EXPERIMENT, ...fields }], true)
    expect(checked.ok ? '' : checked.faults.join('\n')).toMatch(reason)
  })
})
