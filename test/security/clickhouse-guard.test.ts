import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PASSWORD, type Running, start, stopAll } from '../integration/embedded-server.js'

// What an outsider with SQL tries, by every way in, against the server as it is started. The folder has a file with a
// secret in it, and a port listens that nothing may connect to.

const SECRET = 'the-secret-of-the-canary'
const AS_WRITER = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }
let folder: string
let canary: string
let running: Running
let port: number
let listener: Server
let connections = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-guard-'))
  canary = join(folder, 'canary.txt')
  writeFileSync(canary, `${SECRET}\n`)
  listener = createServer(socket => {
    connections++
    socket.destroy()
  })
  port = await new Promise(resolve => {
    listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port))
  })
  running = await start(join(folder, 'data'))
  for (const query of [
    'CREATE DATABASE slotstream',
    'CREATE TABLE slotstream.events (n UInt64, s String) ENGINE = MergeTree ORDER BY n',
    "INSERT INTO slotstream.events VALUES (1, 'one'), (2, upper('two'))",
  ]) {
    expect(await ask(query, AS_WRITER)).toBe('')
  }
})

afterAll(async () => {
  await stopAll()
  listener.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(query: string, headers: Record<string, string> = {}, parameters = ''): Promise<string> {
  return (await fetch(`${running.url}/?${parameters}`, { method: 'POST', headers, body: query })).text()
}

/** What the attacks must not change: files, connections, and what the engine has. */
async function world(): Promise<object> {
  const objects = await ask(
    `SELECT (SELECT groupArray((database, name)) FROM (SELECT * FROM system.tables ORDER BY ALL)),
            (SELECT groupArray(name) FROM (SELECT * FROM system.databases ORDER BY ALL)),
            (SELECT count() FROM system.dictionaries), (SELECT groupArray((n, s)) FROM slotstream.events)`,
  )
  return { objects, connections, files: readdirSync(folder), data: readdirSync(join(folder, 'data')) }
}

let before: object
beforeEach(async () => {
  before ??= await world()
})

/** The ways in, each with a query of an analyst. */
const CHANNELS: Record<string, (query: string, parameters?: string) => Promise<Response>> = {
  GET: (query, parameters = '') => fetch(`${running.url}/?query=${encodeURIComponent(query)}&${parameters}`),
  POST: (query, parameters = '') => fetch(`${running.url}/?${parameters}`, { method: 'POST', body: query }),
  'POST ?query=': (query, parameters = '') =>
    fetch(`${running.url}/?query=${encodeURIComponent(query)}&${parameters}`, { method: 'POST' }),
  'begun in the URL, ended in the body': (query, parameters = '') => {
    const cut = query.indexOf(' ') + 1
    const url = `${running.url}/?query=${encodeURIComponent(query.slice(0, cut))}&${parameters}`
    return fetch(url, { method: 'POST', body: query.slice(cut) })
  },
  'multipart form': (query, parameters = '') => {
    const form = new FormData()
    form.set('query', query)
    for (const [name, value] of new URLSearchParams(parameters)) form.set(name, value)
    return fetch(running.url, { method: 'POST', body: form })
  },
  session: (query, parameters = '') =>
    fetch(`${running.url}/?session_id=${Math.random()}&${parameters}`, { method: 'POST', body: query }),
  gzip: (query, parameters = '') => compressed('gzip', gzipSync(query), parameters),
  br: (query, parameters = '') => compressed('br', brotliCompressSync(query), parameters),
  deflate: (query, parameters = '') => compressed('deflate', deflateSync(query), parameters),
}

function compressed(encoding: string, body: Uint8Array, parameters: string): Promise<Response> {
  const headers = { 'content-encoding': encoding }
  return fetch(`${running.url}/?${parameters}`, { method: 'POST', headers, body: new Uint8Array(body) })
}

/** `F` stands for the canary's path in quotes, `P` for the port. */
const fill = (sql: string): string =>
  sql.replaceAll('§F', `'${canary}'`).replaceAll('§P', String(port)).replaceAll('§D', folder)
const asName = (path: string): string => path.replaceAll('/', '\\x2f')

describe.each(Object.keys(CHANNELS))('by %s', channel => {
  it.each([
    String.raw`SELECT "fil\x65"(§F)`,
    'SELECT 1 PARALLEL WITH CREATE TABLE default.made (a Int8) ENGINE = Memory',
    'SELECT * FROM §F',
    "SELECT b FROM values('a Int8, b String ALIAS file(' || '§F)', 1)",
  ])('an analyst gets nothing from %s', async sql => {
    const response = await CHANNELS[channel]!(fill(sql))
    const text = await response.text()
    expect(response.status, text).toBeGreaterThanOrEqual(400)
    expect(text).not.toContain(SECRET)
    expect(await world()).toEqual(before)
  })

  it('a name in a parameter is checked as if it stood in the statement', async () => {
    const parameters = `param_f=file&param_t=${encodeURIComponent(canary)}&param_u=users`
    for (const sql of [
      `SELECT arrayMap({f:Identifier}, [§F])`,
      'SELECT * FROM {t:Identifier}',
      'SELECT * FROM system.{u:Identifier}',
    ]) {
      const text = await (await CHANNELS[channel]!(fill(sql), parameters)).text()
      expect(text).toContain('(ACCESS_DENIED)')
    }
  })
})

/** Statements that read a file, ask another server, or write something, in all spellings and places found. */
const ATTACKS = [
  // A.1: the engine's spelling.
  String.raw`SELECT "fil\x65"(§F)`,
  String.raw`SELECT ${'`'}f\151le${'`'}(§F)`,
  String.raw`SELECT ${'`'}fil\x65${'`'}(§F)`,
  'SELECT “file”(§F)',
  'SELECT file/* comment */(§F)',
  'SELECT file -- comment\n (§F)',
  'SELECT file\u00a0(§F)',
  '\ufeffSELECT\u200bfile\u00a0(§F)',
  String.raw`SELECT * FROM "ur\x6c"('http://127.0.0.1:§P/', 'LineAsString')`,
  String.raw`SELECT * FROM "s\x33"('http://127.0.0.1:§P/a/b', 'LineAsString')`,
  String.raw`SELECT * FROM "mysq\x6c"('127.0.0.1:§P', 'a', 'b', 'c', 'd')`,
  String.raw`SELECT * FROM "remot\x65"('127.0.0.1:§P', 'a', 'b')`,
  String.raw`SELECT * FROM "sqlit\x65"('§D/made.db', 'a')`,
  String.raw`SELECT arrayMap(${'`'}fil\x65${'`'}, [§F])`,
  String.raw`SELECT arrayMap("fil\x65" AS g, [§F])`,
  'SELECT arrayMap((file), [§F])',
  "SELECT arrayFilter(x -> file(x) != '', [§F])",
  'WITH (x -> file(x)) AS f SELECT f(§F)',
  'WITH x -> x AS file SELECT file(§F)',
  'SELECT * APPLY file FROM (SELECT §F AS p)',
  'SELECT * APPLY (file) FROM (SELECT §F AS p)',
  "SELECT * APPLY (file, 'prefix') FROM (SELECT §F AS p)",
  'SELECT * APPLY file() FROM (SELECT §F AS p)',
  'SELECT * APPLY (x -> file(x)) FROM (SELECT §F AS p)',
  "SELECT COLUMNS('p') APPLY file FROM (SELECT §F AS p)",
  String.raw`SELECT * APPLY "x, \"fil\\x65\"(§F)" FROM (SELECT 1 AS p)`,
  String.raw`SELECT * APPLY "sum FROM (SELECT 1) PARALLEL WITH CREATE TABLE default.made (a Int8) ENGINE = Memory --" FROM (SELECT 1 AS p)`,
  "DESCRIBE TABLE file(§F, 'LineAsString')",
  'DESCRIBE TABLE (SELECT file(§F))',
  'DESC §F',
  `EXISTS TABLE "§X"`,
  `EXISTS ${'`'}§X${'`'}`,
  `SHOW CREATE TABLE "§X"`,
  `SHOW COLUMNS FROM "§X"`,
  `SELECT * FROM "§X"`,
  `SELECT * FROM default."§X"`,
  `SELECT * FROM (SELECT 1 AS a) AS t JOIN "§X" AS u ON 1`,
  `SELECT 1 IN "§X"`,
  `WITH "§X" AS (SELECT 1) SELECT * FROM (SELECT * FROM "§X")`,
  'SELECT * FROM §F',
  'SELECT * FROM filesystem(§F)',
  // SQL in texts, which the engine runs.
  "SELECT b FROM values('a Int8, b String ALIAS file(\\'§C\\')', 1)",
  "SELECT b FROM values('a Int8, b String /* */ alias file(\\'§C\\')', 1)",
  "SELECT b FROM generateRandom('a Int8, b String ALIAS file(\\'§C\\')') LIMIT 1",
  "SELECT b FROM null('a Int8, b String ALIAS file(\\'§C\\')')",
  "SELECT * FROM values(concat('a Int8, b String ALIAS file(', '\\'§C\\')'), 1)",
  "SELECT * FROM format(Values, 'a String', '(file(\\'§C\\'))')",
  "SELECT * FROM format('Values', 'a String', '(file(\\'§C\\'))')",
  "SELECT * FROM format(concat('Val', 'ues'), 'a String', '(file(\\'§C\\'))')",
  "SELECT * FROM format(CSV, 'a Int8, b String DEFAULT file(\\'§C\\')', '1,')",
  "SELECT 1 SETTINGS additional_result_filter = 'length(file(\\'§C\\')) > 0'",
  "SELECT * FROM system.one SETTINGS additional_table_filters = {'system.one': 'length(file(\\'§C\\')) > 0'}",
  'SELECT 1 SETTINGS allow_experimental_eval_table_function = 1',
  "SELECT * FROM eval('SELECT file(\\'§C\\')')",
  "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file(§F)))",
  // The same in places that are easily overlooked.
  'SELECT 1 LIMIT length(file(§F))',
  'SELECT 1 ORDER BY file(§F)',
  'SELECT sum(1) OVER (ORDER BY file(§F))',
  'SELECT a FROM (SELECT 1 AS a) ARRAY JOIN [file(§F)] AS z',
  'SELECT * FROM numbers(length(file(§F)))',
  'SELECT * FROM view(SELECT file(§F))',
  'SELECT (SELECT (SELECT file(§F)))',
  "SELECT if(file(§F) = '', 1, 2)",
  "SELECT CASE WHEN file(§F) = '' THEN 1 END",
  "SELECT {'a': file(§F)}",
  "SHOW TABLES WHERE file(§F) != ''",
  "SHOW TABLES FROM slotstream NOT ILIKE 'x' SETTINGS readonly = 0",
  "SELECT name FROM system.tables WHERE file(§F) != ''",
  'EXPLAIN SELECT file(§F)',
  'EXPLAIN AST CREATE TABLE default.made (a Int8) ENGINE = Memory',
  "EXPLAIN QUERY TREE SELECT * FROM url('http://127.0.0.1:§P/', LineAsString)",
  "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:§P', 'a', 'b', 'c', 'd') COLUMNS (a Int8)",
  'SELECT 1 UNION ALL SELECT length(file(§F))',
  'SELECT quantile(0.5)(length(file(§F)))',
  "SELECT 1 QUALIFY file(§F) != ''",
  'SELECT catboostEvaluate(§F, 1)',
  "SELECT * FROM url('http://127.0.0.1:§P/', 'LineAsString')",
  "SELECT * FROM URL('http://127.0.0.1:§P/', 'LineAsString')",
  "SELECT * FROM urlCluster('default', 'http://127.0.0.1:§P/', 'LineAsString')",
  "SELECT * FROM remoteSecure('127.0.0.1:§P', 'a', 'b')",
  "SELECT * FROM postgresql('127.0.0.1:§P', 'a', 'b', 'c', 'd')",
  "SELECT * FROM mongodb('127.0.0.1:§P', 'a', 'b', 'c', 'd', 'x Int8')",
  "SELECT * FROM redis('127.0.0.1:§P', 'k', 'k String')",
  "SELECT * FROM icebergLocal('§D', 'Parquet')",
  "SELECT * FROM deltaLakeLocal('§D')",
  "SELECT * FROM azureBlobStorage('DefaultEndpointsProtocol=http;BlobEndpoint=http://127.0.0.1:§P/', 'a', 'b')",
  "SELECT * FROM executable('id', 'TSV', 'a String')",
  "SELECT * FROM cluster('default', system.one)",
  "SELECT * FROM dictionary('x')",
  "SELECT dictGet('x', 'y', 1)",
  "SELECT joinGet('slotstream.events', 's', 1)",
  'SELECT * FROM loop(slotstream.events)',
  "SELECT * FROM mergeTreeIndex('slotstream', 'events')",
  "SELECT * FROM merge('system', '^users$')",
  "SELECT * FROM merge(REGEXP('sys.*'), '^users$')",
  "SELECT * FROM merge(concat('sys', 'tem'), '^users$')",
  'SELECT * FROM system.users',
  'SELECT * FROM system."users"',
  String.raw`SELECT * FROM "syst\x65m"."us\x65rs"`,
  'SELECT 1 IN system.users',
  'SELECT in(1, system.users)',
  'SELECT * FROM system.stack_trace',
  'SELECT * FROM system.server_settings',
  "SELECT logTrace('forged line')",
  // A.2: a second statement in one.
  'SELECT 1 PARALLEL WITH CREATE TABLE default.made (a Int8) ENGINE = Memory',
  'SELECT 1 parallel/* */with CREATE DATABASE made',
  'SHOW TABLES PARALLEL WITH CREATE VIEW default.made AS SELECT 1',
  "SELECT 1 PARALLEL WITH CREATE DICTIONARY default.made (a UInt64) PRIMARY KEY a SOURCE(HTTP(URL 'http://127.0.0.1:§P/' FORMAT TSV)) LAYOUT(FLAT()) LIFETIME(1)",
  "SELECT 1 PARALLEL WITH CREATE DICTIONARY default.made (a UInt64) PRIMARY KEY a SOURCE(EXECUTABLE_POOL(COMMAND 'touch §D/made' FORMAT TSV)) LAYOUT(DIRECT())",
  'SELECT 1 PARALLEL WITH CREATE MATERIALIZED VIEW default.made ENGINE = Memory AS SELECT throwIf(1) FROM slotstream.events',
  'SELECT 1 PARALLEL WITH KILL QUERY WHERE 1',
  'SELECT 1 PARALLEL WITH INSERT INTO slotstream.events SELECT 9, 9',
  'SELECT 1; CREATE TABLE default.made (a Int8) ENGINE = Memory',
  "SELECT 1 INTO OUTFILE '§D/made'",
  "SELECT 1 into/* */outfile '§D/made' TRUNCATE FORMAT CSV",
  "EXPLAIN SELECT 1 INTO OUTFILE '§D/made'",
  "SHOW TABLES INTO OUTFILE '§D/made'",
  'WITH 1 AS x INSERT INTO slotstream.events SELECT x, 9',
  'INSERT INTO slotstream.events VALUES (9, 9)',
  "INSERT INTO FUNCTION file('§D/made.csv') SELECT 1",
  'CREATE TABLE default.made (a Int8) ENGINE = Memory',
  'CREATE TEMPORARY TABLE made (a Int8)',
  'ALTER TABLE slotstream.events DELETE WHERE 1',
  'DELETE FROM slotstream.events WHERE 1',
  "UPDATE slotstream.events SET s = 'x' WHERE 1",
  'DROP TABLE slotstream.events',
  'TRUNCATE TABLE slotstream.events',
  'OPTIMIZE TABLE slotstream.events',
  'RENAME TABLE slotstream.events TO slotstream.made',
  'EXCHANGE TABLES slotstream.events AND default.t',
  'DETACH TABLE slotstream.events',
  "ATTACH TABLE default.made FROM '§D' (a Int8) ENGINE = File(CSV)",
  'CHECK TABLE slotstream.events',
  'KILL QUERY WHERE 1',
  'KILL MUTATION WHERE 1',
  'SET max_execution_time = 0',
  'SYSTEM SHUTDOWN',
  "BACKUP DATABASE slotstream TO File('§D/made')",
  'EXECUTE AS default SELECT 1',
  'GRANT ALL ON *.* TO default',
  'CREATE USER made',
  'CREATE FUNCTION made AS x -> x',
  'WATCH slotstream.events',
  'SELECT * FROM slotstream.events SETTINGS max_execution_time = 0',
  'SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 1000000000000)',
  'SELECT 1 SETTINGS readonly = 0',
]

const attack = (sql: string): string => fill(sql).replaceAll('§X', asName(canary)).replaceAll('§C', canary)

describe('an analyst', () => {
  it.each(ATTACKS)('is refused, and nothing happened: %s', async sql => {
    const response = await CHANNELS.POST!(attack(sql))
    const text = await response.text()
    expect(response.status, text).toBeGreaterThanOrEqual(400)
    expect(text).not.toContain(SECRET)
    expect(existsSync(join(folder, 'made'))).toBe(false)
  })

  it('has changed nothing by all of that', async () => {
    expect(await world()).toEqual(before)
  })
})

describe('not even the user with the password', () => {
  it.each([
    'SELECT 1 PARALLEL WITH CREATE TABLE default.made (a Int8) ENGINE = Memory',
    'CREATE TABLE default.made (a Int8) ENGINE = Memory PARALLEL WITH CREATE TABLE default.made2 (a Int8) ENGINE = Memory',
    'SELECT file(§F)',
    String.raw`SELECT "fil\x65"(§F)`,
    'SELECT arrayMap(file, [§F])',
    'INSERT INTO slotstream.events SELECT 9, file(§F)',
    'INSERT INTO slotstream.events VALUES (9, file(§F))',
    String.raw`INSERT INTO slotstream.events VALUES (9, "fil\x65"(§F))`,
    'INSERT INTO slotstream.events VALUES (9, (SELECT file(§F)))',
    'INSERT INTO slotstream.events FORMAT Values (9, file(§F))',
    'CREATE TABLE default.made (a Int8, b String DEFAULT file(§F)) ENGINE = Memory',
    'CREATE VIEW default.made AS SELECT file(§F)',
    'ALTER TABLE slotstream.events ADD COLUMN made String DEFAULT file(§F)',
    'ALTER TABLE slotstream.events UPDATE s = file(§F) WHERE 1',
    "SELECT 1 INTO OUTFILE '§D/made'",
    'INSERT INTO slotstream.events FROM INFILE §F FORMAT CSV',
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "CREATE TABLE default.made (a String) ENGINE = Executable('id', 'TSV')",
    "CREATE TABLE default.made (a Int8) ENGINE = EmbeddedRocksDB(0, '§D/made') PRIMARY KEY a",
    "CREATE TABLE default.made (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '§D/made/')",
    "CREATE DICTIONARY default.made (a UInt64) PRIMARY KEY a SOURCE(EXECUTABLE(COMMAND 'touch §D/made' FORMAT TSV)) LAYOUT(FLAT()) LIFETIME(1)",
    "SELECT * FROM format(Values, 'a String', '(file(\\'§C\\'))')",
    "SELECT b FROM values('a Int8, b String ALIAS file(\\'§C\\')', 1)",
    "SELECT 1 SETTINGS additional_result_filter = 'length(file(\\'§C\\')) > 0'",
    "SELECT * FROM url('http://127.0.0.1:§P/', 'LineAsString')",
    "BACKUP DATABASE slotstream TO File('§D/made')",
    'SYSTEM SHUTDOWN',
  ])('gets outside: %s', async sql => {
    const text = await ask(attack(sql), AS_WRITER)
    expect(text).toMatch(/^Code: \d+/)
    expect(text).not.toContain(SECRET)
    expect(await world()).toEqual(before)
  })

  it('sends SQL in a setting, or in another language', async () => {
    for (const setting of [
      "additional_result_filter=file('x')",
      'dialect=prql',
      'implicit_table_at_top_level=system.users',
    ]) {
      expect(await ask('SELECT 1', AS_WRITER, setting)).toContain('(READONLY)')
    }
  })
})
