import { describe, expect, it } from 'vitest'
import { placeholdersOf, readStatement } from '#clickhouse/sql/statement.js'
import { tokenize } from '#clickhouse/sql/tokens.js'

const words = (sql: string): string[] =>
  [...tokenize(sql)].map(({ kind, text }) => (kind === 'string' ? '<string>' : text))

describe('tokens', () => {
  it('skips every kind of comment', () => {
    expect(words('a -- b\n c // d\n e # f\n g #! h\n i /* j /* k */ l */ m')).toEqual(['a', 'c', 'e', 'g', 'i', 'm'])
    expect(words('a -- b\r c')).toEqual(['a'])
  })

  it('keeps strings, heredocs and quoted names whole', () => {
    expect(words("'a''b; c' 'd\\'e; f' $$g'h$$ $x$ i $$ j $x$ x'4F' B'01'")).toEqual(Array(6).fill('<string>'))
    expect(words('`a``b` "c\\"d" `e;f`')).toEqual(['a`b', 'c"d', 'e;f'])
    expect(words('a$b 1_000 0x1F .5')).toEqual(['a$b', '1_000', '0x1F', '.', '5'])
  })

  it('reads megabytes of string', () => {
    expect(words(`'${"x''\\n".repeat(1_000_000)}'`)).toEqual(['<string>'])
  })

  it('takes for space what the engine takes for it', () => {
    expect(words('\ufeffSELECT\u00a01,\u200b2')).toEqual(['SELECT', '1', ',', '2'])
  })

  it.each([
    "'open",
    '`open',
    '/* open /* */',
    '$a b$ x $a b$',
    "x'4G'",
    '\u201cfile\u201d',
    '\u2018a\u2019',
    '#a',
    '\\G',
    'a\0b',
  ])('refuses what the engine could read differently: %j', sql => {
    expect(() => words(sql)).toThrow(/Syntax error at position/)
  })
})

describe('a statement', () => {
  it.each([
    ['SELECT 1', 'rows'],
    ['(SELECT 1)', 'rows'],
    ['/* x */ with a as (select 1) select * from a', 'rows'],
    ['FROM t SELECT 1', 'rows'],
    ['show tables', 'describe'],
    ['DESC t', 'describe'],
    ['INSERT INTO t VALUES (1)', 'insert'],
    ['DROP TABLE t', 'other'],
    ['SET a = 1', 'other'],
    ['`select` 1', 'other'],
  ])('%s is of kind %s', (sql, kind) => {
    expect(readStatement(sql).kind).toBe(kind)
  })

  it('is one statement: a closing semicolon is fine, a second statement is not', () => {
    expect(readStatement('SELECT 1 ; ; -- done\n').sql).toBe('SELECT 1')
    expect(readStatement("SELECT ';' /* ; */").sql).toBe("SELECT ';'")
    for (const sql of ['SELECT 1; DROP TABLE t', 'SELECT 1;;SELECT 2', 'INSERT INTO t SELECT 1; DROP TABLE t']) {
      expect(() => readStatement(sql)).toThrow(/Multi-statements/)
    }
    for (const sql of ['', ' ; ', '-- nothing']) expect(() => readStatement(sql)).toThrow('Empty query')
  })

  it('knows its FORMAT clause from a column called format', () => {
    expect(readStatement('SELECT 1 FORMAT JSON').format).toEqual({ name: 'JSON', start: 9 })
    expect(readStatement('SELECT 1 format CSV SETTINGS max_threads = 1;').format?.name).toBe('CSV')
    for (const sql of [
      'SELECT format FROM t',
      'SELECT 1 AS format',
      "SELECT format('{}', 1) x",
      'SELECT (SELECT format x)',
    ]) {
      expect(readStatement(sql).format).toBeUndefined()
    }
  })
})

describe('an insert', () => {
  it('ends where its data begins, whatever the data looks like', () => {
    const sql = 'INSERT INTO db.t (a, `b`) FORMAT JSONEachRow \n{"a":"; DROP TABLE t \'"}'
    const statement = readStatement(sql)
    expect(sql.slice(statement.dataStart)).toBe('{"a":"; DROP TABLE t \'"}')
    expect(statement.sql).toBe('INSERT INTO db.t (a, `b`) FORMAT JSONEachRow')
  })

  it.each([
    ['INSERT INTO t ', 'FORMAT JSONEachRow'],
    ['insert into table db.t (a, `b`) ', 'format CSV'],
    ['INSERT INTO t (* EXCEPT(a)) ', 'FORMAT Native'],
    ['INSERT INTO t ', 'SETTINGS async_insert = 0, max_threads = 1 FORMAT JSONEachRow'],
    ['INSERT INTO settings ', 'FORMAT JSONEachRow'],
    ['INSERT INTO settings (settings, format) ', 'SETTINGS max_threads = 1 FORMAT CSV'],
    ["INSERT INTO FUNCTION null('a String') ", 'FORMAT CSV'],
  ])('takes its rows from a file between %s and %s', (head, tail) => {
    const statement = readStatement(head + tail)
    expect(statement.sql.slice(statement.sourceStart)).toBe(tail)
    expect(statement.dataStart).toBe(statement.sql.length)
  })

  it('of values has them as data, with whatever stands behind: they are never read as a statement', () => {
    for (const head of [
      'INSERT INTO t VALUES',
      'insert into table db.`values` (a, values) values',
      'INSERT INTO t FORMAT Values',
    ]) {
      const statement = readStatement(`${head} (1); DROP TABLE t`)
      expect(statement.sql).toBe(head)
      expect(`${head} (1); DROP TABLE t`.slice(statement.dataStart).trim()).toBe('(1); DROP TABLE t')
    }
  })

  it('from a SELECT has no data', () => {
    expect(readStatement('INSERT INTO t SELECT format FROM u').dataStart).toBeUndefined()
    expect(readStatement('INSERT INTO t WITH 1 AS x SELECT x FORMAT Null').dataStart).toBeUndefined()
  })
})

it('placeholders are found outside strings only', () => {
  const statement = readStatement("SELECT {a:UInt8}, '{b:String}', { c : Array(String) }, map('x', 1)")
  expect(placeholdersOf(statement)).toEqual(new Set(['a', 'c']))
})
