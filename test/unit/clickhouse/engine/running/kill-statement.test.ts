import { describe, expect, it } from 'vitest'
import { isKill, killStatementOf } from '#clickhouse/engine/running/kill-statement.js'
import { readStatement } from '#clickhouse/sql/statement.js'

const ID = `transform(Settings['log_comment'], ['c1', 'c2'], ['it\\'s', 'b'], query_id)`
const kill = (sql: string) =>
  killStatementOf(readStatement(sql), [
    ['c1', "it's"],
    ['c2', 'b'],
  ])

describe('KILL QUERY', () => {
  it('means the ids that came with requests, in names and not in texts', () => {
    expect(kill("KILL QUERY WHERE query_id = 'query_id' OR (`query_id`) IN ('b') ASYNC;")).toEqual({
      sql: `KILL QUERY WHERE ${ID} = 'query_id' OR (${ID}) IN ('b') ASYNC`,
    })
    expect(kill('KILL QUERY WHERE elapsed > 5 TEST FORMAT JSON')).toEqual({
      sql: 'KILL QUERY WHERE elapsed > 5 TEST FORMAT JSON',
    })
  })

  it('SYNC becomes ASYNC, and asks whose end it has to wait for', () => {
    const victims = `SELECT Settings['log_comment'] FROM system.processes WHERE ${ID} = 'b' `
    expect(kill("kill query where query_id = 'b' sync")).toEqual({
      sql: `kill query where ${ID} = 'b' ASYNC`,
      victims: victims.replace('WHERE', 'where'),
    })
    expect(kill("KILL QUERY WHERE query_id = 'b' SYNC FORMAT JSONEachRow")).toEqual({
      sql: `KILL QUERY WHERE ${ID} = 'b' ASYNC FORMAT JSONEachRow`,
      victims,
    })
    expect(kill("KILL QUERY WHERE user = 'SYNC' ASYNC").victims).toBeUndefined()
  })

  it('is told from other statements', () => {
    expect(isKill(readStatement('KILL QUERY WHERE 1'))).toBe(true)
    for (const sql of ['KILL MUTATION WHERE 1', 'KILL QUERY', 'SELECT 1 AS query WHERE 1']) {
      expect(isKill(readStatement(sql)), sql).toBe(false)
    }
  })
})
