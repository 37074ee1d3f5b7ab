import { describe, expect, it } from 'vitest'
import { sessionChangeOf } from '#clickhouse/sql/session-change.js'
import { readStatement } from '#clickhouse/sql/statement.js'

const change = (sql: string) => sessionChangeOf(readStatement(sql))

describe('what a statement changes in its session', () => {
  it.each([
    ['SET max_threads = 1', [['max_threads', '1']]],
    [
      'set `max_threads`=1, x = -1.5e3;',
      [
        ['max_threads', '1'],
        ['x', '-1.5e3'],
      ],
    ],
    [
      "SET a = 'it''s \\\\ \\' ;', b = true",
      [
        ['a', "it's \\ ' ;"],
        ['b', 'true'],
      ],
    ],
    ['SET a = DEFAULT', [['a', undefined]]],
  ])('%s', (sql, settings) => {
    expect(change(sql)).toEqual({ settings })
  })

  it('is the database, after USE', () => {
    expect(change('USE slotstream')).toEqual({ settings: [], database: 'slotstream' })
    expect(change('USE DATABASE `a`')).toEqual({ settings: [], database: 'a' })
  })

  it('is nothing, after any other', () => {
    expect(change('SELECT 1')).toBeUndefined()
    expect(change('CREATE TEMPORARY TABLE t (n Int8)')).toBeUndefined()
  })

  it.each([
    ['SET', 62],
    ['SET max_threads', 62],
    ['SET a = 1 b = 2', 48],
    ['SET a = 1,', 62],
    ['SET a == 1', 48],
    ['SET a = ', 48],
    ['SET a = (SELECT 1)', 48],
    ["SET a = 'x\\n'", 48],
    ['SET a = "b"', 48],
    ["SET a = {'b': 1}", 48],
    ["SET param_x = 'y'", 48],
    ['SET ROLE admin', 62],
    ['USE', 62],
    ['USE a.b', 62],
    ["USE 'a'", 62],
  ])('is rejected, when it cannot be understood for certain: %s', (sql, code) => {
    expect(() => change(sql)).toThrow(expect.objectContaining({ code }))
  })
})
