import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Canaries, putUpCanaries } from '../support/canaries.js'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'
import { ATTACKS, attack } from './clickhouse-attacks.js'

// What an outsider with SQL tries, by every way in, against the server as it is started. The folder has a file with a
// secret in it, and a port listens that nothing may connect to.

const SECRET = 'the-secret-of-the-canary'
const AS_WRITER = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }
let folder: string
let canary: string
let running: Running
let port: number
let canaries: Canaries

beforeAll(async () => {
  canaries = await putUpCanaries('clickhouse-guard', SECRET)
  ;({ folder, file: canary, port } = canaries)
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
  canaries.remove()
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
  return {
    objects,
    connections: canaries.connections(),
    files: readdirSync(folder),
    data: readdirSync(join(folder, 'data')),
  }
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

describe.each(Object.keys(CHANNELS))('by %s', channel => {
  it.each([
    String.raw`SELECT "fil\x65"(§F)`,
    'SELECT 1 PARALLEL WITH CREATE TABLE default.made (a Int8) ENGINE = Memory',
    'SELECT * FROM §F',
    "SELECT b FROM values('a Int8, b String ALIAS file(' || '§F)', 1)",
  ])('an analyst gets nothing from %s', async sql => {
    const response = await CHANNELS[channel]!(attack(sql, { canary, port }))
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
      const text = await (await CHANNELS[channel]!(attack(sql, { canary, port }), parameters)).text()
      expect(text).toContain('(ACCESS_DENIED)')
    }
  })
})

describe('an analyst', () => {
  it.each(ATTACKS)('is rejected, and nothing happened: %s', async sql => {
    const response = await CHANNELS.POST!(attack(sql, { canary, port }))
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
    const text = await ask(attack(sql, { canary, port }), AS_WRITER)
    expect(text).toMatch(/^Code: \d+/)
    expect(text).not.toContain(SECRET)
    expect(await world()).toEqual(before)
  })

  it('sends SQL in a setting, or in another language', async () => {
    for (const setting of [
      "additional_table_filters={'slotstream.events': 'length(file(x)) > 0'}",
      "additional_table_filters={'slotstream.events': 'stream_seq > 1 AND stream_seq <= 2', 'system.one': 'file(x)'}",
      "additional_result_filter=file('x')",
      'dialect=prql',
      'implicit_table_at_top_level=system.users',
    ]) {
      expect(await ask('SELECT 1', AS_WRITER, setting)).toContain('(READONLY)')
    }
  })
})

it('rows of VALUES may have expressions and parameters', async () => {
  const post = (query: string, parameters = '') => ask(query, AS_WRITER, parameters)
  await post('CREATE TABLE slotstream.rows (n UInt64, s String) ENGINE = Memory')
  expect(
    await post(
      "INSERT INTO slotstream.rows VALUES ({n:UInt64}, {s:String}), (1 + 1, upper('x; {q:'))",
      'param_n=7&param_s=a',
    ),
  ).toBe('')
  expect(await post('INSERT INTO slotstream.rows VALUES ({n:UInt64}, {s:String})', 'param_n=7')).toContain(
    '`s` is not set',
  )
  expect(await post('INSERT INTO slotstream.rows VALUES (1, 1); DROP TABLE slotstream.rows')).toContain(
    'Multi-statements',
  )
  expect(await post('SELECT * FROM slotstream.rows ORDER BY n')).toBe('2\tX; {Q:\n7\ta\n')
})
