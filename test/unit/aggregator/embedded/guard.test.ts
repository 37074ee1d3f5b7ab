import { describe, expect, it } from 'vitest'
import { guardAnalyst } from '../../../../aggregator/embedded/guard.js'
import { readStatement } from '../../../../aggregator/embedded/statement.js'

const guard = (sql: string, parameters: [string, string][] = []): void => guardAnalyst(readStatement(sql), parameters)

describe('the guard refuses', () => {
  it.each([
    'INSERT INTO t VALUES (1)',
    'INSERT INTO t FORMAT JSONEachRow',
    'SET readonly = 0',
    'KILL QUERY WHERE 1',
    'EXECUTE AS x SELECT 1',
  ])('a statement that is no reading one: %s', sql => {
    expect(() => guard(sql)).toThrow(expect.objectContaining({ code: 164 }))
  })

  it.each([
    "SELECT 1 INTO OUTFILE 'x'",
    "SELECT 1 into /* */ outfile 'x'",
    "EXPLAIN SELECT 1 INTO OUTFILE 'x'",
    "SELECT file('x')",
    "SELECT FILE /* c */ ('x')",
    "SELECT `file`('x')",
    'SELECT "fi\\le"(1)',
    "SELECT arrayMap(file, ['x'])",
    'SELECT * APPLY file FROM t',
    'SELECT * APPLY `file` FROM t',
    'SELECT 1 IN (1. file)',
    "DESCRIBE TABLE file('x')",
    "SELECT * FROM s3Cluster('a', 'b')",
    "SELECT * FROM icebergLocal('a')",
    "SELECT * FROM deltaLakeAzureCluster('a')",
    "SELECT aiGenerate('x')",
    "SELECT (SELECT * FROM url('x'))",
    'SELECT * FROM `/etc/passwd`',
    'SELECT * FROM default."../x.csv"',
    "EXISTS '/etc/passwd'",
    "SELECT * FROM t JOIN '/etc/passwd' USING a",
    'DESCRIBE `https://example.com/x.csv`',
  ])('what leaves the database: %s', sql => {
    expect(() => guard(sql)).toThrow(expect.objectContaining({ code: 497 }))
  })

  it('a function named by a parameter', () => {
    const sql = "SELECT arrayMap({f:Identifier}, ['x'])"
    for (const value of ['file', '`file`', ' FILE ']) expect(() => guard(sql, [['f', value]])).toThrow(/parameter f/)
    expect(() => guard('SELECT * FROM {t:Identifier}', [['t', '/etc/passwd']])).toThrow(/parameter t/)
    guard(sql, [['f', 'lower']])
    guard('SELECT {f:String}', [['f', 'file']])
  })
})

it.each([
  "SELECT 'file(1)', `into` FROM t -- INTO OUTFILE",
  'SELECT url, remote, cluster FROM t',
  'SELECT t.file, properties.file FROM t',
  'SELECT cutURLParameter(page_url, 1), URLHash(page_url) FROM events',
  'SELECT 1 AS outfile, 2 AS `into`',
  'SELECT * FROM numbers(3) FORMAT JSON',
  "SELECT format('{}', 1), domain(referrer)",
  "SELECT a AS `a/b` FROM t WHERE page_path IN ('/', '/pricing') AND page_url LIKE 'https://x'",
])('the guard lets analysts work: %s', sql => {
  expect(() => guard(sql)).not.toThrow()
})
