import { readFileSync } from 'node:fs'
import type { DecisionRecord, RecordedDraw } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { explainDecision } from '#core/explain/explain-decision.js'
import { parseDraw } from '#core/explain/parse-draw.js'

const DRAWS = ['0.1.0', '0.1.0-form-3'].flatMap(release => {
  const text = readFileSync(new URL(`../decide/records-${release}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { what: string; record: DecisionRecord }[]).flatMap(({ what, record }) =>
    record.draw ? [[what, record.draw] as const] : [],
  )
})
const LOTTERY = { rule: 'ranked', exploration: 0, ranks: [0] }
const STAGE = { of: 1, lottery: LOTTERY, drawn: [0] }

it.each(DRAWS)('the draw of %s is read as it was recorded', (_what, draw) => {
  expect(parseDraw(JSON.stringify(draw))).toEqual(draw)
})

it.each([
  'no JSON',
  'null',
  '{"contents":"e"}',
  JSON.stringify({ contents: 'e', stages: [] }),
  JSON.stringify({ contents: 'e', stages: Array(101).fill({ ...STAGE, drawn: [] }) }),
  ...[
    { of: 1e9, drawn: [] },
    { of: -1, drawn: [] },
    {
      of: 100_000,
      lottery: { rule: 'shares', exploration: 0, shares: [] },
      drawn: Array.from({ length: 50 }, (_, n) => n),
    },
    { ...STAGE, campaign: 1 },
    { ...STAGE, contents: [0, 1] },
    { ...STAGE, drawn: [1] },
    { ...STAGE, drawn: Array(51).fill(0) },
    { ...STAGE, lottery: { ...LOTTERY, exploration: 2 } },
    { ...STAGE, lottery: { ...LOTTERY, ranks: [] } },
    { ...STAGE, lottery: { ...LOTTERY, rule: 'later' } },
    { ...STAGE, lottery: { rule: 'shares', exploration: 0, shares: [1e9, 1] } },
    { ...STAGE, lottery: { rule: 'shares', exploration: 0, shares: [0] } },
    { ...STAGE, lottery: { rule: 'shares', exploration: 0, shares: [0, -1] } },
    { ...STAGE, lottery: { rule: 'gaps', exploration: 0, scores: [1], gamma: -1 } },
    { ...STAGE, lottery: { rule: 'samples', exploration: 0, contenders: [1], length: 1, tops: 'A' } },
    // Packed: other letters, a number without an end, one that is too large, too many of a run, and places that are
    // none.
    { ...STAGE, lottery: { ...LOTTERY, ranks: '!' } },
    { ...STAGE, lottery: { ...LOTTERY, ranks: 'g' } },
    { ...STAGE, lottery: { ...LOTTERY, ranks: '__________f' } },
    { ...STAGE, lottery: { ...LOTTERY, ranks: '*A_______f' } },
    { ...STAGE, lottery: { ...LOTTERY, ranks: 'AA' } },
    { ...STAGE, lottery: { rule: 'shares', exploration: 0, shares: 'BB' } },
    { ...STAGE, lottery: { rule: 'shares', exploration: 0, shares: 'A' } },
    { ...STAGE, lottery: { rule: 'gaps', exploration: 0, scores: '', gamma: 1 } },
    { ...STAGE, lottery: { rule: 'samples', exploration: 0, contenders: 'C', length: 1, tops: 'A' } },
    { ...STAGE, contents: 'B' },
    { ...STAGE, contents: 'AA' },
  ].map(stage => JSON.stringify({ contents: 'e', stages: [stage] })),
  JSON.stringify({ version: 4, contents: 'e', stages: [STAGE] }),
])('what may be no draw is rejected: %#', text => {
  expect(parseDraw(text)).toBeUndefined()
})

it('a draw whose numbers do not fit each other is explained without it', () => {
  for (const draw of [
    { contents: 'e2', stages: [STAGE] },
    {
      contents: 'e',
      stages: [{ of: 1, lottery: { rule: 'gaps', exploration: 0, scores: [1], gamma: 1e308 }, drawn: [0, 0] }],
    },
  ] as RecordedDraw[]) {
    const record = {
      outcome: 'served',
      contentIds: ['a'],
      propensities: [1],
      candidates: [],
      excluded: [],
      features: {},
      seed: '',
    }
    const { reproduced, candidates } = explainDecision({ ...record, outcome: 'served', draw })
    expect(reproduced).toBe(false)
    expect(candidates.map(({ contentId }) => contentId)).toEqual(['a'])
  }
})
