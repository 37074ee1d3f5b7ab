import { describe, expect, it } from 'vitest'
import { withoutDuplicates } from '#aggregator/warehouse/load/write/duplicates.js'
import { recentKeys } from '#aggregator/warehouse/load/write/recent-keys.js'
import { keyText, type Row, type RowKey } from '#aggregator/warehouse/rows/row.js'

const NOON = Date.UTC(2026, 0, 1, 12)
const iso = (minutes: number) => new Date(NOON + minutes * 60_000).toISOString()
function row(id: string, key: Partial<RowKey> = {}): Row {
  const receivedAt = iso(30)
  return {
    line: id,
    seq: 1,
    index: 0,
    key: { siteId: 's', visitor: 'v', id, time: iso(30), happened: iso(30), receivedAt, ...key },
    source: { siteId: 's', partition: 0, receivedAt, messageId: id, payload: () => id },
  }
}
const never = async () => {
  throw new Error('not to be asked')
}
const ids = (rows: Row[]) => rows.map(({ line }) => line)

describe('withoutDuplicates', () => {
  it('asks nothing about messages whose first send the recent set would have', async () => {
    const { rows } = await withoutDuplicates([row('a'), row('b')], recentKeys(NOON), never)
    expect(ids(rows)).toEqual(['a', 'b'])
  })

  it('keeps the first of two in one block', async () => {
    const unique = await withoutDuplicates([row('a'), row('a'), row('a', { visitor: 'w' })], recentKeys(NOON), never)
    expect(ids(unique.rows)).toEqual(['a', 'a'])
    expect(unique.inBlock).toBe(1)
  })

  it('leaves out a recent key only when the table has it', async () => {
    const recent = recentKeys(NOON)
    recent.add(keyText(row('a').key!), NOON)
    recent.add(keyText(row('b').key!), NOON)
    const unique = await withoutDuplicates(
      [row('a'), row('b'), row('c')],
      recent,
      async keys => new Set([keyText(keys[0]!)]),
    )
    expect(ids(unique.rows)).toEqual(['b', 'c'])
    expect(unique).toMatchObject({ inTable: 1, lookedUp: 2 })
  })

  it('asks once about everything the set may not cover: old, just at its edge, and of unknown time', async () => {
    const asked: string[][] = []
    await withoutDuplicates(
      [
        row('old', { happened: iso(-60) }),
        row('edge', { happened: iso(4) }),
        row('untimed', { happened: undefined } as never),
        row('new'),
      ],
      recentKeys(NOON),
      async keys => {
        asked.push(keys.map(({ id }) => id))
        return new Set()
      },
    )
    expect(asked).toEqual([['old', 'edge', 'untimed']])
  })
})
