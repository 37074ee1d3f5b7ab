import { expect, it } from 'vitest'
import { auditedDraws } from '#aggregator/results/audits/read-draws.js'

const ranked = (drawn: number[]) => ({ of: 2, lottery: { rule: 'ranked', exploration: 1, ranks: [0, 1] }, drawn })
const text = (stages: object[], contents = 'e2') => JSON.stringify({ contents, stages })

it('a recorded draw is audited, with its chances', () => {
  expect(auditedDraws(text([ranked([1])]))).toMatchObject([{ places: [0, 1], drawn: 1 }])
})

it.each([
  ['more stages than a draw has', text(Array.from({ length: 301 }, () => ranked([1])))],
  ['more chances than a draw has', text([{ ...ranked([0]), of: 1_300_000 }], 'e100000')],
  ['what was drawn is none of the candidates', text([ranked([5])])],
  ['stages are no list', JSON.stringify({ contents: 'e2', stages: { of: 2 } })],
  ['it is no JSON', '{'],
])('a made-up draw is left out, before it is worked out: %s', (_why, draw) => {
  expect(auditedDraws(draw)).toEqual([])
})
