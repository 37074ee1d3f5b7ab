import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as reviewed from '#clickhouse/guard/names/engine-names.js'
import { createNames } from '#clickhouse/guard/names/names.js'
import { SECRET, withGuardedEngine } from '../support/guarded-engine.js'

// The second layer alone: the engine with its grants, and no guard in front of it. And the lists of names against the
// engine that is installed.

const engine = withGuardedEngine('clickhouse-grants')

describe('the grants alone', () => {
  it.each([
    "SELECT * FROM file('§', 'LineAsString')",
    String.raw`SELECT * FROM "fil\x65"('§', 'LineAsString')`,
    "SELECT * FROM '§'",
    'SELECT * FROM `§`',
    "DESCRIBE TABLE file('§', 'LineAsString')",
    "SELECT * FROM filesystem('§')",
    "SELECT * FROM url('http://127.0.0.1:PORT/', 'LineAsString')",
    String.raw`SELECT * FROM "ur\x6c"('http://127.0.0.1:PORT/', 'LineAsString')`,
    "SELECT * FROM s3('http://127.0.0.1:PORT/bucket/b', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:PORT', 'a', 'b')",
    "SELECT * FROM mysql('127.0.0.1:PORT', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:PORT', 'a', 'b', 'c', 'd')",
    "INSERT INTO FUNCTION file('§.made') SELECT 1",
    'CREATE TABLE built.made (a String) ENGINE = File(CSV)',
    "CREATE TABLE built.made (a String) ENGINE = URL('http://127.0.0.1:PORT/', CSV)",
    "CREATE TABLE built.made AS file('§', 'LineAsString')",
    "CREATE DATABASE made ENGINE = Filesystem('/')",
    "CREATE DATABASE made ENGINE = MySQL('127.0.0.1:PORT', 'a', 'b', 'c')",
    "CREATE DICTIONARY built.made (a UInt64) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'touch §.made' FORMAT TSV)) LAYOUT(FLAT()) LIFETIME(1)",
    "CREATE DICTIONARY built.made (a UInt64) PRIMARY KEY a SOURCE(HTTP(URL 'http://127.0.0.1:PORT/' FORMAT TSV)) LAYOUT(FLAT()) LIFETIME(1)",
    'CREATE FUNCTION made AS x -> x',
    'CREATE NAMED COLLECTION made AS a = 1',
    'CREATE USER made',
    "BACKUP DATABASE built TO File('§.made')",
    'SYSTEM SHUTDOWN',
  ])('refuse %s', async sql => {
    const { file, port, connections } = engine.canaries
    const failure = await engine.run(sql.replaceAll('§', file).replaceAll('PORT', String(port))).then(
      output => output,
      (error: unknown) => String(error),
    )
    expect(failure).toMatch(/ACCESS_DENIED|INVALID_CONFIG_PARAMETER/)
    expect(failure).not.toContain(SECRET)
    expect(existsSync(`${file}.made`)).toBe(false)
    expect(connections()).toBe(0)
  })

  it('leave what the warehouse does', async () => {
    for (const sql of [
      'CREATE TABLE slotstream.e (n UInt64) ENGINE = MergeTree ORDER BY n',
      'CREATE MATERIALIZED VIEW slotstream.v ENGINE = AggregatingMergeTree ORDER BY n AS SELECT n, countState() AS c FROM slotstream.e GROUP BY n',
      'INSERT INTO slotstream.e SELECT number FROM numbers(10)',
      "ALTER TABLE slotstream.e ADD COLUMN s String, MODIFY COMMENT 'x'",
      'ALTER TABLE slotstream.e DELETE WHERE n = 1 SETTINGS mutations_sync = 2',
      'OPTIMIZE TABLE slotstream.e FINAL',
      'CREATE TABLE slotstream.f AS slotstream.e',
      'EXCHANGE TABLES slotstream.e AND slotstream.f',
      'ALTER TABLE slotstream.e ATTACH PARTITION tuple() FROM slotstream.f',
      'DROP TABLE slotstream.f SYNC',
      'KILL QUERY WHERE 0',
      'SELECT * FROM system.parts FORMAT Null',
    ]) {
      await engine.run(sql)
    }
    expect(await engine.run('SELECT count() FROM slotstream.e')).toBe('9\n')
  })

  it('are kept from others in the data folder', () => {
    const own = join(engine.canaries.folder, 'data', 'access-of-slotstream')
    expect(statSync(own).mode & 0o777).toBe(0o700)
    for (const name of ['config.xml', 'users.xml']) expect(statSync(join(own, name)).mode & 0o777).toBe(0o600)
  })
})

describe('the reviewed names', () => {
  const names = createNames({ functions: ['aFunctionOfTomorrow'], tableFunctions: [], systemTables: [] })

  it.each([
    [
      'functions',
      'SELECT name FROM system.functions',
      [
        ...reviewed.FUNCTIONS,
        ...reviewed.SLOW_FUNCTIONS,
        ...reviewed.DEEP_FUNCTIONS,
        ...reviewed.TRUSTED_FUNCTIONS,
        ...reviewed.REFUSED_FUNCTIONS,
      ],
    ],
    [
      'table functions',
      'SELECT name FROM system.table_functions',
      [...reviewed.TABLE_FUNCTIONS, ...reviewed.TRUSTED_TABLE_FUNCTIONS, ...reviewed.REFUSED_TABLE_FUNCTIONS],
    ],
    [
      'tables of system',
      "SELECT name FROM system.tables WHERE database = 'system'",
      [...reviewed.SYSTEM_TABLES, ...reviewed.TRUSTED_SYSTEM_TABLES],
    ],
    [
      'table engines',
      'SELECT name FROM system.table_engines',
      [...reviewed.TABLE_ENGINES, ...reviewed.REFUSED_TABLE_ENGINES],
    ],
    ['data types', "SELECT name FROM system.data_type_families WHERE position(name, ' ') = 0", reviewed.DATA_TYPES],
    ['combinators', 'SELECT name FROM system.aggregate_function_combinators', reviewed.COMBINATORS],
  ])('are those of the installed engine: %s. Sort new ones into engine-names.ts', async (_, sql, known) => {
    const installed = (await engine.run(sql)).trim().split('\n')
    expect({
      'not reviewed yet': installed.filter(name => !known.includes(name)),
      'not there any more': known.filter(name => !installed.includes(name)),
      'in two lists': known.filter((name, at) => known.indexOf(name) !== at),
    }).toEqual({ 'not reviewed yet': [], 'not there any more': [], 'in two lists': [] })
    expect(await engine.run('SELECT version()')).toMatch(
      new RegExp(`^${reviewed.REVIEWED_ENGINE.replace('.', '\\.')}\\.`),
    )
  })

  it('keep refused ones refused, in any case and with any combinator', () => {
    const refused = [
      ...reviewed.REFUSED_FUNCTIONS,
      ...reviewed.REFUSED_TABLE_FUNCTIONS.filter(name => name !== 'format'),
    ]
    for (const name of refused) {
      for (const role of ['analyst', 'builder', 'writer'] as const) {
        const spellings = [name, name.toUpperCase(), name.toLowerCase(), `${name}If`, `${name}StateMerge`]
        expect(
          spellings.filter(spelling => names.mayCall(spelling, role)),
          `${name} for ${role}`,
        ).toEqual([])
      }
    }
    for (const name of reviewed.REFUSED_TABLE_ENGINES)
      for (const role of ['builder', 'writer'] as const) expect(names.mayUseEngine(name, role), name).toBe(false)
    for (const name of [
      ...reviewed.SLOW_FUNCTIONS,
      ...reviewed.DEEP_FUNCTIONS,
      ...reviewed.TRUSTED_FUNCTIONS,
      ...reviewed.TRUSTED_TABLE_FUNCTIONS,
    ])
      expect(names.mayCall(name, 'analyst') || names.mayCall(name, 'builder'), name).toBe(false)
  })

  it('refuse what a new engine brings, by call and by name', () => {
    expect(names.mayCall('aFunctionOfTomorrow', 'analyst')).toBe(false)
    expect(names.isRefusedReference('aFunctionOfTomorrow', 'analyst')).toBe(true)
  })
})
