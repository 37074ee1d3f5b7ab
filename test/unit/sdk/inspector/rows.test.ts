import { expect, it } from 'vitest'
import { decisionRow } from '#sdk/inspector/rows.js'
import type { SlotDecision } from '#sdk/types.js'

const served: SlotDecision = {
  slotId: 'hero',
  decisionId: 'd1',
  outcome: 'served',
  items: [{ contentId: 'tea', position: 1, payload: { title: '<b>Tea</b>' } }],
}

/** Terms and values of a decision's row, unfolded. */
function factsOf(decision: Partial<SlotDecision>): Map<string, string> {
  const row = decisionRow({ at: 0, decision: { ...served, ...decision } })
  row.dispatchEvent(new Event('toggle'))
  const texts = new Map<string, string>()
  for (const term of row.querySelectorAll('dt'))
    texts.set(term.textContent ?? '', term.nextElementSibling?.textContent ?? '')
  texts.set('notes', [...row.querySelectorAll('.note')].map(note => note.textContent).join('\n'))
  expect(row.querySelector('b:not(.badge)')).toBeNull()
  return texts
}

it('a decision says who was drawn, from what, and why the others were not', () => {
  const facts = factsOf({
    reason: {
      policy: 'contextual',
      policyVersion: 'v7',
      propensities: [0.93],
      explored: false,
      affinities: { tea: 2, tents: 1 },
      candidates: [
        { contentId: 'tea', score: 0.123456, probability: 0.93 },
        { contentId: 'coffee', score: 0.05, probability: 0.07 },
      ],
      excluded: [
        { contentId: 'a', reason: 'capped', detail: '3 of 3 in 24h' },
        { contentId: 'b', reason: 'ended' },
        { contentId: 'c', reason: 'capped', detail: '1 of 1 in this session' },
      ],
    },
  })
  expect(Object.fromEntries(facts)).toMatchObject({
    policy: 'contextual v7',
    chance: 'tea 93 %',
    explored: 'no',
    candidates: 'tea 93 %, score 0.123; coffee 7.0 %, score 0.05',
    'left out: capped': 'a (3 of 3 in 24h); c (1 of 1 in this session)',
    'left out: ended': 'b',
    decision: 'd1',
  })
  expect([...facts.keys()].filter(term => term.startsWith('likes'))).toEqual(['likes tea', 'likes tents'])
})

it('what a newer collector says besides is shown as it is, as text', () => {
  const facts = factsOf({ reason: { policy: 'p', campaigns: ['<b>spring</b>'], learnedViews: 12, nothing: null } })
  expect(facts.get('campaigns')).toContain('<b>spring</b>')
  expect(facts.get('learnedViews')).toBe('12')
  expect(facts.get('nothing')).toBe('null')
})

it('of a large catalog the first are listed, and how many more', () => {
  const excluded = Array.from({ length: 800 }, (_, index) => ({ contentId: `c${index}`, reason: 'condition' }))
  expect(factsOf({ reason: { excluded } }).get('left out: condition')).toMatch(/^c0; .*; c19; and 780 more$/)
})

it('a last decision and a preview say that they are none', () => {
  expect(factsOf({ decisionId: '', cachedAt: 1 }).get('notes')).toContain('the last decision')
  expect(factsOf({ decisionId: '', preview: true }).get('notes')).toContain('recorded nowhere')
})
