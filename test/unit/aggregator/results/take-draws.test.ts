import { expect, it } from 'vitest'
import { type DrawRow, takeBlock } from '#aggregator/results/audits/read-draws.js'
import { auditDraws, takeDraws } from '#aggregator/results/audits/take-draws.js'

const DRAW = JSON.stringify({
  contents: 'e2',
  stages: [{ of: 2, lottery: { rule: 'ranked', exploration: 1, ranks: [0, 1] }, drawn: [1] }],
})
const VERSION = 'v1'
const BYTES = DRAW.length + VERSION.length
/** `of` × (positions + 1). */
const CHANCES = 4

/** Draws as they are streamed, the latest first, and how many of them were read. */
function stream(count: number, draw = DRAW) {
  const read = { rows: 0 }
  async function* rows() {
    for (let index = 0; index < count; index++) {
      read.rows++
      yield { version: `v${count - index}`, draw }
    }
  }
  return { rows: rows(), read }
}

it('draws are taken in the order in which they were made', async () => {
  const { draws, isCut } = await takeDraws(stream(3).rows)
  expect(draws.map(({ version }) => version)).toEqual(['v1', 'v2', 'v3'])
  expect(isCut).toBe(false)
  expect(await auditDraws(draws)).toMatchObject({ ok: true })
})

it.each([
  ['bytes', { bytes: 5 * BYTES, chances: 1e9 }],
  ['chances', { bytes: 1e9, chances: 5 * CHANCES }],
])('only the latest draws are taken that a budget of %s has room for, and no more are read', async (_of, budget) => {
  const { rows, read } = stream(9)
  const { draws, isCut } = await takeDraws(rows, budget)
  expect(draws.map(({ version }) => version)).toEqual(['v5', 'v6', 'v7', 'v8', 'v9'])
  expect(isCut).toBe(true)
  expect(read.rows).toBe(6)
})

it('what is no draw uses the budget up as well', async () => {
  const { draws, isCut } = await takeDraws(stream(9, 'x'.repeat(100)).rows, { bytes: 1e9, chances: 300 })
  expect([draws.length, isCut]).toEqual([3, true])
})

it('a block of draws ends with a message, where it has as many bytes as it may', async () => {
  let read = 0
  async function* rows(): AsyncGenerator<DrawRow> {
    for (const position of [1, 1, 2, 2, 2, 3, 4]) {
      read++
      yield { site: 'shop', slot: 'hero', version: VERSION, draw: DRAW, position }
    }
  }
  const positions = (await takeBlock(rows(), 3 * DRAW.length)).map(({ position }) => position)
  expect(positions).toEqual([1, 1, 2, 2, 2])
  expect(read).toBe(6)
})
