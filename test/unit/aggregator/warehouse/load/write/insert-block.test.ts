import { ClickHouseError } from '@clickhouse/client'
import { describe, expect, it } from 'vitest'
import { insertBlock } from '#aggregator/warehouse/load/write/insert-block.js'
import { type Row, rowPlace } from '#aggregator/warehouse/rows/row.js'
import type { Table } from '#aggregator/warehouse/tables/table.js'

const row = (index: number, line = `row ${index}`): Row => ({
  line,
  seq: 5,
  index,
  source: { siteId: 's', partition: 0, receivedAt: '', messageId: null, payload: () => line },
})
const dataError = () => new ClickHouseError({ message: 'Cannot parse', code: '117', type: 'INCORRECT_DATA' })

/** A table that remembers tokens, in memory. */
function memoryTable() {
  const tokens: string[] = []
  const lines: string[] = []
  const table: Table = {
    async insert(more, token) {
      await table.check(more)
      if (tokens.includes(token)) return
      tokens.push(token)
      lines.push(...more)
    },
    async check(more) {
      if (more.some(line => line.includes('bad'))) throw dataError()
    },
    highest: async () => 0,
    present: async () => new Set(lines.map(line => rowPlace({ seq: 5, index: Number(line.split(' ')[1]) }))),
    find: async () => new Set(),
    recent: async () => [],
  }
  return { table, tokens, lines }
}

const parts = (table: Table) => {
  const rejected: Row[] = []
  const signal = new AbortController().signal
  const storeRejected = async (found: { row: Row }[]) => void rejected.push(...found.map(({ row }) => row))
  return { rejected, table, stream: 'EVENTS', storeRejected, verify: true, signal, onFailure: () => {} }
}

describe('insertBlock', () => {
  it('names the block in its token', async () => {
    const { table, tokens, lines } = memoryTable()
    await insertBlock([row(0), row(1)], { first: 5, last: 7 }, 'no', parts(table))
    expect(tokens).toEqual(['EVENTS:5-7'])
    expect(lines).toEqual(['row 0', 'row 1'])
  })

  it('writes nothing when another writer finished the block', async () => {
    const { table, lines } = memoryTable()
    await insertBlock([row(0)], { first: 5, last: 5 }, 'no', parts(table))
    for (const attempted of ['cut short', 'restored'] as const)
      await insertBlock([row(0)], { first: 5, last: 5 }, attempted, parts(table))
    expect(lines).toEqual(['row 0'])
  })

  it('supplements what a table that knows the token does not have', async () => {
    const { table, tokens, lines } = memoryTable()
    await table.insert(['row 1'], 'EVENTS:5-5')
    // One of the rows is there; the token says that all are.
    await insertBlock([row(0), row(1), row(2)], { first: 5, last: 5 }, 'cut short', parts(table))
    expect(lines.sort()).toEqual(['row 0', 'row 1', 'row 2'])
    expect(tokens).toEqual(['EVENTS:5-5', 'EVENTS:5-5+1'])
  })

  it('writes nothing into a table that has the rows and forgot the token', async () => {
    const { table, tokens } = memoryTable()
    await table.insert(['row 0'], 'restored')
    await insertBlock([row(0)], { first: 5, last: 5 }, 'restored', parts(table))
    expect(tokens).toEqual(['restored'])
  })

  it('stores exactly the rows that are rejected elsewhere and inserts the others with the same token', async () => {
    const { table, tokens, lines } = memoryTable()
    const all = Array.from({ length: 100 }, (_, i) => row(i, i % 40 === 7 ? `bad ${i}` : `row ${i}`))
    const tools = parts(table)
    const stored = await insertBlock(all, { first: 5, last: 5 }, 'no', tools)
    expect(tools.rejected.map(({ index }) => index)).toEqual([7, 47, 87])
    expect(stored).toHaveLength(97)
    expect(lines).toHaveLength(97)
    expect(tokens).toEqual(['EVENTS:5-5'])
  })

  it('sends again what was cut short on its way', async () => {
    const { table, lines } = memoryTable()
    let broken = true
    const flaky: Table = {
      ...table,
      insert: async (more, token) => {
        if (broken) {
          broken = false
          throw dataError()
        }
        await table.insert(more, token)
      },
    }
    const tools = parts(flaky)
    await insertBlock([row(0)], { first: 5, last: 5 }, 'no', tools)
    expect(lines).toEqual(['row 0'])
    expect(tools.rejected).toEqual([])
  })
})
