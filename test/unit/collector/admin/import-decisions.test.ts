import { describe, expect, it } from 'vitest'
import { checkImported, importDecisions } from '#collector/admin/decisions/import-decisions.js'

const now = Date.parse('2026-06-01T12:00:00.000Z')
const good = { decisionId: 'd', slotId: 'hero', anonymousId: 'a', timestamp: '2019-11-24 00:00:01.123+00:00' }

describe('importDecisions', () => {
  it('fills in what logs of other systems do not have and keeps the original time', () => {
    expect(checkImported(good, now)).toEqual({
      ok: true,
      value: {
        decisionId: 'd',
        timestamp: '2019-11-24T00:00:01.123Z',
        slotId: 'hero',
        anonymousId: 'a',
        policy: 'imported',
        policyVersion: '0',
        outcome: 'served',
        holdout: false,
        contentIds: [],
        propensities: [],
        position: 1,
        candidates: [],
        excluded: [],
        features: {},
        seed: '',
      },
    })
  })

  it('keeps what is given', () => {
    const full = {
      ...good,
      timestamp: '2019-11-24T00:00:01.123Z',
      userId: 'u',
      sessionId: 's',
      pageViewId: 'p',
      policy: 'bts',
      policyVersion: '3',
      outcome: 'served',
      holdout: false,
      contentIds: ['14'],
      propensities: [0.0125],
      position: 3,
      candidates: [{ contentId: '14', score: 1, probability: 0.0125 }],
      excluded: [{ contentId: '15', reason: 'expired' }],
      features: { user_feature_0: 'x' },
      seed: '1',
    }
    expect(checkImported(full, now)).toEqual({ ok: true, value: full })
  })

  it.each([
    [null, 'object'],
    [{ ...good, decisionId: '' }, 'decisionId'],
    [{ ...good, slotId: 5 }, 'slotId'],
    [{ ...good, anonymousId: 5 }, 'anonymousId'],
    [{ ...good, anonymousId: undefined }, 'anonymousId'],
    [{ ...good, userId: 5 }, 'userId'],
    [{ ...good, timestamp: 'then' }, 'timestamp'],
    [{ ...good, timestamp: '1970-01-01' }, 'timestamp'],
    [{ ...good, timestamp: '2100-01-01' }, 'timestamp'],
    [{ ...good, contentIds: 'x' }, 'contentIds'],
    [{ ...good, contentIds: ['x'], propensities: [1.5] }, 'propensities'],
    [{ ...good, contentIds: ['x'], propensities: [0.5, 0.5] }, 'propensities'],
    [{ ...good, position: 0 }, 'position'],
    [{ ...good, candidates: [{ contentId: 'x' }] }, 'candidates'],
    [{ ...good, excluded: [5] }, 'excluded'],
    [{ ...good, features: [] }, 'features'],
    [{ ...good, policy: '' }, 'policy'],
    [{ ...good, outcome: 'won' }, 'outcome'],
    [{ ...good, holdout: 'no' }, 'holdout'],
    [{ ...good, seed: 5 }, 'seed'],
    [{ ...good, features: { text: 'x'.repeat(40_000) } }, '32 KB'],
  ])('refuses %j', (raw, named) => {
    expect(checkImported(raw, now)).toMatchObject({ ok: false, reason: expect.stringContaining(named) })
  })

  it.each(['draw', 'missed', 'model', 'known', 'draw.stages'])(
    'refuses features.%s, which only decisions have that were made here',
    name => {
      const reason = `features.${name} is for decisions that were made here: give it another name`
      expect(checkImported({ ...good, features: { [name]: '{}' } }, now)).toEqual({ ok: false, reason })
    },
  )

  it('groups by visitor in order and names what it refused', () => {
    const entry = (decisionId: string, anonymousId: string) => ({ ...good, decisionId, anonymousId })
    const taken = importDecisions(
      [entry('1', 'a'), entry('2', 'b'), { decisionId: '3' }, 5, entry('5', 'a')],
      'shop',
      now,
    )
    expect(taken.imported).toBe(3)
    expect(taken.rejected).toMatchObject([
      { decisionId: '3', index: 2 },
      { decisionId: null, index: 3 },
    ])
    expect(taken.envelopes.map(({ visitorId, decisions }) => [visitorId, decisions.map(d => d.decisionId)])).toEqual([
      ['a', ['1', '5']],
      ['b', ['2']],
    ])
  })
})
