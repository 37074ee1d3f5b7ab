import { readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openData } from '#clickhouse/engine/open-engine.js'
import { createGuard, type Guard, type GuardUser } from '#clickhouse/guard/guard.js'
import { type Canaries, putUpCanaries } from '../support/canaries.js'

// Generated statements: what the guard lets through is run by an engine with everything else switched off (no grants,
// no readonly, no limits on settings), and then the world must be as it was: no file of the canaries opened, no file
// made, no connection made, no row and no object of others changed. FUZZ_STATEMENTS and FUZZ_SEED choose another run.

const STATEMENTS = Number(process.env.FUZZ_STATEMENTS ?? 8_000)
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_801)
/** Statements that are looked at together, and how long all may take on a machine that is busy, in milliseconds. */
const BATCH = 50
const MAX_MS = Number(process.env.FUZZ_STATEMENTS ? 3_600_000 : 60_000)
const SECRET = 'secret-of-the-canary'
/** Long ago, so that reading a file moves its time of access even where the file system is mounted with relatime. */
const LONG_AGO = new Date('2001-01-01')

let folder: string
let canary: string
let port: number
let canaries: Canaries
let guard: Guard
let run: (sql: string) => Promise<string>

beforeAll(async () => {
  canaries = await putUpCanaries('clickhouse-fuzz', SECRET)
  ;({ folder, file: canary, port } = canaries)
  const { connect } = await openData(join(folder, 'data'), { grants: false })
  const control = connect()
  const connection = connect()
  guard = await createGuard(connect)
  run = async sql => (await connection.queryAsync(sql, { format: 'TSVRaw' })).text()
  for (const sql of [
    'CREATE DATABASE slotstream',
    'CREATE DATABASE built',
    'CREATE TABLE slotstream.events (n UInt64, s String) ENGINE = MergeTree ORDER BY n',
    "INSERT INTO slotstream.events VALUES (1, 'one')",
    'CREATE TABLE built.t (n UInt64, s String) ENGINE = MergeTree ORDER BY n',
  ]) {
    await control.queryAsync(sql)
  }
})

afterAll(() => {
  canaries.remove()
})

/** What must stay as it is; of a builder's own database nothing. */
async function world(): Promise<string> {
  const rows = await run(
    `SELECT (SELECT groupArray((database, name, engine, create_table_query)) FROM
              (SELECT * FROM system.tables WHERE database NOT IN ('system', 'built') AND NOT is_temporary ORDER BY database, name)),
            (SELECT groupArray(name) FROM (SELECT name FROM system.databases ORDER BY name)),
            (SELECT count() FROM system.dictionaries), (SELECT count() FROM system.functions),
            (SELECT groupArray((n, s)) FROM (SELECT * FROM slotstream.events ORDER BY ALL)),
            (SELECT count() FROM system.tables WHERE has(dependencies_database, 'built') AND database = 'slotstream')`,
  )
  return JSON.stringify({
    rows,
    files: readdirSync(folder),
    made: readdirSync(join(folder, 'data', 'user_files')),
    connections: canaries.connections(),
  })
}

const wasOpened = (): boolean => statSync(canary).atimeMs !== LONG_AGO.getTime()
const closeAgain = (): void => utimesSync(canary, LONG_AGO, new Date())

// The grammar. `name(…)` in one of the spellings that the engine reads as that name, and what takes it outside.

const space = fc.constantFrom(
  ' ',
  '  ',
  '\n',
  '\t',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '/**/',
  '/* x */',
  ' -- x\n',
  ' # x\n',
)
const spelled = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(name) },
    fc.constantFrom(name.toUpperCase(), `\`${name}\``, `"${name}"`, `“${name}”`, `${name} `, `${name}/**/`),
    fc
      .tuple(fc.nat(Math.max(0, name.length - 1)), fc.constantFrom('`', '"'), fc.constantFrom('x', 'o'))
      .map(([at, quote, kind]) => {
        const code = name.charCodeAt(at)
        const escaped = kind === 'x' ? `\\x${code.toString(16).padStart(2, '0')}` : `\\${name[at]}`
        return `${quote}${name.slice(0, at)}${escaped}${name.slice(at + 1)}${quote}`
      }),
  )
const call = (name: string, ...args: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc
    .tuple(spelled(name), space, fc.tuple(...args), space)
    .map(([n, before, list, after]) => `${n}${before}(${list.join(`,${after}`)})`)

const text = (value: () => string): fc.Arbitrary<string> =>
  fc.constantFrom(0, 1, 2, 3).map(kind => {
    const plain = value()
    if (kind === 1) return `$$${plain}$$`
    if (kind === 2) return `concat('${plain.slice(0, 3)}', '${plain.slice(3)}')`
    if (kind === 3) return `'${plain.replaceAll('/', '\\x2f')}'`
    return `'${plain}'`
  })
const path = text(() => canary)
const address = text(() => `http://127.0.0.1:${port}/x`)
const host = text(() => `127.0.0.1:${port}`)
const quotedPath = fc.constantFrom('`', '"', "'").map(quote => `${quote}${canary.replaceAll('/', '\\x2f')}${quote}`)
const word = fc.constantFrom("'CSV'", "'LineAsString'", 'CSV', "'a String'")

const outwardTable: fc.Arbitrary<string> = fc.oneof(
  call('file', path, word),
  call('url', address, word),
  call('s3', address, word),
  call('remote', host, fc.constant('system'), fc.constant('one')),
  call('mysql', host, fc.constant("'a'"), fc.constant("'b'"), fc.constant("'c'"), fc.constant("'d'")),
  call(
    'sqlite',
    text(() => join(folder, 'made.db')),
    fc.constant("'a'"),
  ),
  call('executable', fc.constant("'id'"), fc.constant("'TSV'"), fc.constant("'a String'")),
  call('filesystem', path),
  call(
    'format',
    fc.constantFrom('Values', "'Values'", 'CSV'),
    fc.constant("'a String'"),
    text(() => `(file(\\'${canary}\\'))`),
  ),
  call(
    'values',
    text(() => `a Int8, b String ALIAS file(\\'${canary}\\')`),
    fc.constant('1'),
  ),
  call(
    'generateRandom',
    text(() => `a Int8, b String DEFAULT file(\\'${canary}\\')`),
  ),
  call('merge', fc.constantFrom("'slotstream'", "'system'", "REGEXP('.*')", 'currentDatabase()'), fc.constant("'.*'")),
  call(
    'eval',
    text(() => `SELECT file(\\'${canary}\\')`),
  ),
  quotedPath,
  quotedPath.map(name => `default.${name}`),
  fc.constantFrom('system.users', 'system."us\\x65rs"', '`syst\\x65m`.quotas'),
)
const innocentTable = fc.constantFrom(
  'slotstream.events',
  'numbers(3)',
  'system.one',
  "values('n UInt64, s String', (1, 'x'))",
  'built.t',
)
const outwardValue: fc.Arbitrary<string> = fc.oneof(
  call('file', path),
  call(
    'arrayMap',
    spelled('file'),
    path.map(p => `[${p}]`),
  ),
  call(
    'arrayMap',
    spelled('file').map(f => `(${f})`),
    path.map(p => `[${p}]`),
  ),
  call(
    'arrayMap',
    spelled('file').map(f => `${f} AS g`),
    path.map(p => `[${p}]`),
  ),
  call(
    'arrayFilter',
    call('file', fc.constant('x')).map(f => `x -> ${f} != ''`),
    path.map(p => `[${p}]`),
  ),
  call('catboostEvaluate', path, fc.constant('1')),
  call('dictGet', fc.constant("'d'"), fc.constant("'a'"), fc.constant('1')),
  fc.tuple(spelled('file'), path).map(([f, p]) => `(SELECT * APPLY ${f} FROM (SELECT ${p} AS p))`),
  fc
    .tuple(path)
    .map(([p]) => `(SELECT * APPLY "toString, \\"fil\\\\x65\\"(${p.replaceAll('"', '')})" FROM (SELECT 1 AS p))`),
)
const innocentValue = fc.constantFrom(
  '1',
  "'file'",
  'lower(s)',
  'n + 1',
  'now()',
  "'a; DROP TABLE t'",
  "format('{}', 1)",
  'toString(n) AS file',
  '[1, 2]',
  'NULL',
)

const nested = fc.letrec<{ value: string; table: string; query: string }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    outwardValue,
    { weight: 6, arbitrary: innocentValue },
    tie('query').map(query => `(${query})`),
    tie('value').map(value => `if(1, ${value}, '')`),
    tie('value').map(value => `CASE WHEN ${value} = '' THEN 1 END`),
    tie('value').map(value => `arrayMap(x -> ${value}, [1])`),
    tie('value').map(value => `CAST(${value} AS String)`),
  ),
  table: fc.oneof(
    { depthSize: 'small' },
    outwardTable,
    { weight: 6, arbitrary: innocentTable },
    tie('query').map(query => `(${query})`),
    tie('query').map(query => `view(${query})`),
    fc.tuple(tie('table'), tie('table')).map(([left, right]) => `${left} AS l JOIN ${right} AS r ON 1`),
    tie('value').map(value => `numbers(length(${value}))`),
  ),
  query: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(space, tie('value')).map(([gap, value]) => `SELECT${gap}${value}`),
    fc.tuple(space, tie('table')).map(([gap, table]) => `SELECT * FROM${gap}${table}`),
    fc.tuple(tie('value'), tie('table')).map(([value, table]) => `SELECT 1 FROM ${table} WHERE ${value} != ''`),
    fc.tuple(tie('query'), tie('query')).map(([a, b]) => `WITH c AS (${a}) ${b.startsWith('WITH') ? 'SELECT 1' : b}`),
    fc.tuple(tie('query'), tie('query')).map(([a, b]) => `${a} UNION ALL ${b}`),
    tie('table').map(table => `SELECT 1 IN ${table}`),
    tie('value').map(value => `SELECT 1 FROM slotstream.events ORDER BY ${value} LIMIT 1`),
    tie('value').map(value => `SELECT a FROM (SELECT 1 AS a) ARRAY JOIN [${value}] AS z`),
  ),
}))

const write = fc.oneof(
  fc.constantFrom(
    'CREATE TABLE default.made (a Int8) ENGINE = Memory',
    'CREATE DATABASE made',
    'INSERT INTO slotstream.events SELECT 9, 9',
    'DROP TABLE slotstream.events',
    'ALTER TABLE slotstream.events DELETE WHERE 1 SETTINGS mutations_sync = 2',
    'KILL QUERY WHERE 0',
    'CREATE FUNCTION made AS x -> x',
    'RENAME TABLE slotstream.events TO built.stolen',
    'EXCHANGE TABLES built.t AND slotstream.events',
    'CREATE MATERIALIZED VIEW built.mv ENGINE = MergeTree ORDER BY tuple() AS SELECT throwIf(1) FROM slotstream.events',
    'CREATE OR REPLACE TABLE slotstream.events (a Int8) ENGINE = Memory',
    'TRUNCATE TABLE slotstream.events',
    'CREATE TABLE built.outside (a Int8) ENGINE = File(CSV)',
  ),
  nested.query.map(query => `CREATE OR REPLACE VIEW built.v AS ${query}`),
  nested.query.map(query => `CREATE OR REPLACE TABLE built.x ENGINE = MergeTree ORDER BY tuple() AS ${query}`),
  nested.query.map(query => `INSERT INTO built.t SELECT 1, toString(1) FROM (${query})`),
  nested.query.map(
    query => `CREATE MATERIALIZED VIEW IF NOT EXISTS built.m2 ENGINE = MergeTree ORDER BY tuple() AS ${query}`,
  ),
  nested.value.map(
    value => `CREATE OR REPLACE TABLE built.d (a Int8, b String DEFAULT ${value}) ENGINE = MergeTree ORDER BY tuple()`,
  ),
  nested.value.map(value => `ALTER TABLE built.t UPDATE s = ${value} WHERE 1`),
)
const statement = fc.oneof(
  { weight: 6, arbitrary: nested.query },
  { weight: 2, arbitrary: write },
  fc.tuple(nested.query, space, write).map(([query, gap, other]) => `${query} PARALLEL${gap}WITH ${other}`),
  fc.tuple(nested.query, write).map(([query, other]) => `${query}; ${other}`),
  fc.tuple(nested.query, space).map(([query, gap]) => `${query} INTO${gap}OUTFILE '${join(folder ?? '', 'made.csv')}'`),
  nested.table.map(table => `DESCRIBE TABLE ${table}`),
  nested.query.map(query => `EXPLAIN ${query}`),
  nested.value.map(value => `SHOW TABLES WHERE ${value} != ''`),
  quotedPath.map(name => `EXISTS TABLE ${name}`),
  fc
    .tuple(nested.query, nested.value)
    .map(([query, value]) => `${query} SETTINGS additional_result_filter = '${value.replaceAll("'", "\\'")} != 1'`),
)
/** A character put in, left out or doubled somewhere, in some of them. */
const mutated = fc
  .tuple(
    statement,
    fc.option(
      fc.tuple(fc.nat(), fc.constantFrom('`', '"', "'", '\\', '/*', '*/', '$$', ';', '(', ')', ' ', '\0', '\u00a0')),
      { freq: 3 },
    ),
  )
  .map(([sql, change]) => {
    if (!change) return sql
    const at = change[0] % (sql.length + 1)
    return sql.slice(0, at) + change[1] + sql.slice(at)
  })

const USERS: GuardUser[] = [
  { role: 'analyst', databases: [] },
  { role: 'builder', databases: ['built'] },
]

it('the canaries notice what they are for', async () => {
  const before = await world()
  closeAgain()
  expect(await run(`SELECT file('${canary}')`)).toContain(SECRET)
  expect(wasOpened()).toBe(true)
  await run(`SELECT * FROM url('http://127.0.0.1:${port}/', 'LineAsString') SETTINGS http_max_tries = 1`).catch(
    () => {},
  )
  expect(await world()).not.toBe(before)
})

it(
  `nothing that passes the guard gets outside, in ${STATEMENTS} statements`,
  async () => {
    const before = await world()
    const statements = fc.sample(fc.tuple(mutated, fc.constantFrom(...USERS)), { numRuns: STATEMENTS, seed: SEED })
    const end = Date.now() + MAX_MS
    const passed = new Set<string>()
    let [looked, ran] = [0, 0]
    for (let at = 0; at < statements.length && Date.now() < end; at += BATCH) {
      const batch = statements.slice(at, at + BATCH)
      closeAgain()
      const looks = batch.map(([sql, user]) => guard.check({ sql, database: 'default', parameters: [] }, user))
      const verdicts = await Promise.allSettled(looks)
      expect(wasOpened(), 'the guard itself opened the file').toBe(false)
      looked += batch.length
      for (const [i, verdict] of verdicts.entries()) {
        if (verdict.status === 'rejected' || passed.has(verdict.value.sql)) continue
        passed.add(verdict.value.sql)
        ran += await runAndLook(batch[i]![0], verdict.value.sql, before)
      }
    }
    expect(await world()).toBe(before)
    console.info(
      `${looked} statements, ${passed.size} different ones passed the guard, ${ran} of them ran without an error`,
    )
    // A guard that refuses everything would pass this, too.
    expect(passed.size).toBeGreaterThan(looked / 20)
    expect(ran).toBeGreaterThan(looked / 40)
  },
  MAX_MS + 30_000,
)

/** Runs what the guard let through; the settings that it found are the caller's to refuse, and stay out. */
async function runAndLook(sent: string, sql: string, before: string): Promise<0 | 1> {
  closeAgain()
  let ran: 0 | 1 = 1
  const output = await run(sql).catch((error: unknown) => {
    ran = 0
    return String(error)
  })
  expect(output, sent).not.toContain(SECRET)
  expect(wasOpened(), sent).toBe(false)
  if (!/^(?:SELECT|WITH|SHOW|DESCRIBE|EXPLAIN|EXISTS|\()/.test(sql)) expect(await world(), sent).toBe(before)
  return ran
}
