import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { type ClickHouseClient, ClickHouseError, type ClickHouseSettings, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type Running, start, stop, stopAll } from '../support/embedded-server.js'

const clients: ClickHouseClient[] = []
let folder: string
let running: Running
let writer: ClickHouseClient
let analyst: ClickHouseClient

function connect(url: string, user: 'slotstream' | 'default'): ClickHouseClient {
  const client = createClient({
    url,
    username: user,
    password: user === 'slotstream' ? PASSWORD : '',
    compression: { request: true, response: true },
    clickhouse_settings: { wait_end_of_query: 0 },
    log: { level: 127 },
  })
  clients.push(client)
  return client
}

async function rows<T>(client: ClickHouseClient, query: string, query_params?: Record<string, unknown>): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow', ...(query_params ? { query_params } : {}) })
  return result.json<T>()
}

async function count(table: string): Promise<number> {
  const [row] = await rows<{ n: string }>(analyst, `SELECT count() AS n FROM ${table}`)
  return Number(row!.n)
}

async function errorOf(work: Promise<unknown>): Promise<ClickHouseError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ClickHouseError)
  return error as ClickHouseError
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-clickhouse-'))
  running = await start(folder)
  writer = connect(running.url, 'slotstream')
  analyst = connect(running.url, 'default')
  await writer.command({
    query: `CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n
            SETTINGS non_replicated_deduplication_window = 100`,
  })
})

afterAll(async () => {
  await Promise.all(clients.map(client => client.close()))
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

describe('through @clickhouse/client', () => {
  it('answers pings, with and without a query', async () => {
    expect((await analyst.ping()).success).toBe(true)
    expect((await analyst.ping({ select: true })).success).toBe(true)
  })

  it('inserts and queries with parameters, of every kind', async () => {
    await writer.command({ query: 'CREATE TABLE p (n UInt64, s String) ENGINE = MergeTree ORDER BY n' })
    const { summary } = await writer.insert({
      table: 'p',
      values: [
        { n: 1, s: "it's; DROP TABLE p" },
        { n: 2, s: 'tab\tand\\slash\nand line' },
      ],
      format: 'JSONEachRow',
    })
    expect(summary?.written_rows).toBe('2')
    expect(await rows(analyst, 'SELECT s FROM p WHERE s = {s:String}', { s: "it's; DROP TABLE p" })).toHaveLength(1)
    expect(
      await rows(analyst, 'SELECT n FROM p WHERE s = {s:String}', { s: 'tab\tand\\slash\nand line' }),
    ).toHaveLength(1)
    expect(await rows(analyst, 'SELECT n FROM p WHERE n IN {ids:Array(UInt64)}', { ids: [2, 3] })).toEqual([{ n: 2 }])
    expect(await rows(analyst, 'SELECT {x:Nullable(String)} IS NULL AS isNull', { x: null })).toEqual([{ isNull: 1 }])
    const long = 'x'.repeat(20_000)
    expect(await rows(analyst, 'SELECT length({long:String}) AS n', { long })).toEqual([{ n: 20_000 }])
  })

  it('does not lend one query the parameters of another', async () => {
    await rows(analyst, 'SELECT {secret:String} AS x', { secret: 'mine' })
    const error = await errorOf(rows(analyst, 'SELECT {secret:String} AS x'))
    expect(error).toMatchObject({ code: '456', type: 'UNKNOWN_QUERY_PARAMETER' })
  })

  it('gives a typed error for bad SQL, a missing table and a missing setting', async () => {
    expect(await errorOf(rows(writer, 'SELEC 1'))).toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    expect(await errorOf(rows(analyst, 'SELECT 1,, 2'))).toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    expect(await errorOf(rows(analyst, 'SELECT * FROM nowhere'))).toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
    const odd = writer.query({ query: 'SELECT 1', clickhouse_settings: { no_such_setting: 1 } })
    expect(await errorOf(odd)).toMatchObject({ code: '115', type: 'UNKNOWN_SETTING' })
  })

  it('reads the formats whose envelope must come once', async () => {
    const query = 'SELECT number, toString(number) AS s FROM numbers(100000)'
    const json = await (await analyst.query({ query, format: 'JSON' })).json<{ number: string }>()
    expect(json.data).toHaveLength(100_000)
    expect(json.rows).toBe(100_000)
    const csv = await (await analyst.query({ query, format: 'CSVWithNames' })).text()
    expect(csv.match(/"number"/g)).toHaveLength(1)
    expect(csv.trimEnd().split('\n')).toHaveLength(100_001)
  })

  it('streams 300,000 rows to a reader that pauses', async () => {
    const result = await analyst.query({
      query: 'SELECT number, randomPrintableASCII(40) AS s FROM numbers(300000)',
      format: 'JSONEachRow',
    })
    let seen = 0
    let sum = 0
    for await (const batch of result.stream<{ number: string }>()) {
      if (seen === 0) await new Promise(resolve => setTimeout(resolve, 200))
      for (const row of batch) {
        seen++
        sum += Number(row.json().number)
      }
    }
    expect(seen).toBe(300_000)
    expect(sum).toBe((299_999 * 300_000) / 2)
  })

  it('breaks the response off when a query fails in the middle of its rows', async () => {
    const response = await fetch(
      `${running.url}/?query=${encodeURIComponent('SELECT throwIf(number = 5000000) FROM numbers(9000000)')}`,
    )
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  })

  it('inserts a stream, and an insert of no rows is fine', async () => {
    await writer.command({ query: 'CREATE TABLE s (n UInt64) ENGINE = MergeTree ORDER BY n' })
    const values = Readable.from(Array.from({ length: 5_000 }, (_, n) => ({ n })))
    await writer.insert({ table: 's', values, format: 'JSONEachRow' })
    await writer.insert({ table: 's', values: Readable.from([]), format: 'JSONEachRow' })
    expect(await count('s')).toBe(5_000)
  })

  it('keeps settings to their own query', async () => {
    const setting = async (client: ClickHouseClient, clickhouse_settings: ClickHouseSettings): Promise<unknown> => {
      const result = await client.query({
        query: "SELECT getSetting('max_threads') AS a, getSetting('max_block_size') AS b",
        format: 'JSONCompactEachRow',
        clickhouse_settings,
      })
      return (await result.json())[0]
    }
    const usual = await setting(writer, {})
    expect(await setting(writer, { max_threads: 1, max_block_size: '77' })).toEqual([1, 77])
    expect(await setting(writer, {})).toEqual(usual)
    const usualOfAnalysts = await setting(analyst, {})
    await setting(analyst, { max_threads: 1 })
    expect(await setting(analyst, {})).toEqual(usualOfAnalysts)
    await writer.command({ query: 'SET max_threads = 1' })
    expect(await setting(writer, {})).toEqual(usual)
  })
})

describe('deduplication by token', () => {
  const insert = (n: number, insert_deduplication_token?: string): Promise<unknown> =>
    writer.insert({
      table: 't',
      values: [{ n, s: 'x' }],
      format: 'JSONEachRow',
      ...(insert_deduplication_token ? { clickhouse_settings: { insert_deduplication_token } } : {}),
    })

  it('drops the second insert with a token, and leaves inserts without one alone', async () => {
    await insert(1, 'EVENTS:1-500')
    await insert(2, 'EVENTS:1-500')
    expect(await count('t')).toBe(1)
    await insert(3)
    await insert(4)
    expect(await count('t')).toBe(3)
    await insert(5, 'EVENTS:501-600')
    await insert(6, 'EVENTS:1-500')
    expect(await count('t')).toBe(4)
  })

  it('does so for a token in the SQL as well', async () => {
    await writer.command({
      query: 'CREATE TABLE d (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 9',
    })
    for (const n of [1, 2])
      await writer.command({ query: `INSERT INTO d SETTINGS insert_deduplication_token = 'a' VALUES (${n})` })
    for (const n of [3, 4]) await writer.command({ query: `INSERT INTO d VALUES (${n})` })
    expect(await count('d')).toBe(3)
  })
})

describe('an analyst', () => {
  const refused = [
    'INSERT INTO t VALUES (1, 1)',
    'CREATE TABLE x (n Int8) ENGINE = Memory',
    'DROP TABLE t',
    'TRUNCATE TABLE t',
    'ALTER TABLE t DELETE WHERE 1',
    'SELECT 1; DROP TABLE t',
    'SET readonly = 0',
    'USE system',
    'KILL QUERY WHERE 1',
    'SYSTEM FLUSH LOGS',
    "SELECT 1 INTO OUTFILE '/tmp/embedded-clickhouse-outfile'",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT \u201cfile\u201d('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT * APPLY file FROM (SELECT '/etc/passwd')",
    "DESCRIBE file('/etc/passwd', 'LineAsString')",
    "EXPLAIN SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/a/b', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', 'a', 'b')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    'SELECT * FROM `/etc/passwd`',
    "EXISTS '/etc/passwd'",
    'SELECT 1 SETTINGS max_execution_time = 0',
    'SELECT 1 SETTINGS readonly = 0',
    'WITH 1 AS x INSERT INTO t SELECT x, 1',
    "BACKUP TABLE t TO Disk('a', 'b')",
  ]

  it.each(refused)('is refused: %s', async query => {
    const response = await fetch(running.url, { method: 'POST', body: query })
    const body = await response.text()
    expect(response.status, body).toBeGreaterThanOrEqual(400)
    expect(body).toMatch(/^Code: \d+\. DB::Exception: .*\([A-Z_]+\) \(version 26\.[\d.]+\)\n$/s)
    expect(body).not.toContain('root:')
  })

  it('cannot name a function by a parameter', async () => {
    const query = "SELECT arrayMap({f:Identifier}, ['/etc/passwd'])"
    expect(await errorOf(rows(analyst, query, { f: 'file' }))).toMatchObject({ code: '497' })
    expect(existsSync('/tmp/embedded-clickhouse-outfile')).toBe(false)
  })

  it.each([
    'SELECT 1',
    '-- a comment; with DROP TABLE t\nSELECT 1;',
    "SELECT 'a; DROP TABLE t', $$it's; here$$ /* ; /* nested */ */ ;",
    'WITH x AS (SELECT 1) SELECT * FROM x',
    '(SELECT 1) UNION ALL (SELECT 2)',
    'SHOW TABLES',
    'SHOW CREATE TABLE t',
    'DESCRIBE t',
    'EXPLAIN SELECT * FROM t',
    'EXISTS t',
    'SELECT * FROM numbers(3) FORMAT JSON',
    'SELECT url FROM (SELECT 1 AS url)',
  ])('may run: %s', async query => {
    const response = await fetch(running.url, { method: 'POST', body: query })
    expect(response.status, await response.text()).toBe(200)
  })

  it('may choose how results look, and no more', async () => {
    const ask = async (settings: string): Promise<Response> =>
      fetch(`${running.url}/?query=SELECT+toUInt64(1)+AS+n&default_format=JSONEachRow&${settings}`)
    expect(await (await ask('output_format_json_quote_64bit_integers=1')).text()).toBe('{"n":"1"}\n')
    expect(await (await ask('output_format_json_quote_64bit_integers=0')).text()).toBe('{"n":1}\n')
    expect((await ask('cancel_http_readonly_queries_on_client_close=1&wait_end_of_query=1')).status).toBe(200)
    for (const settings of [
      'format_schema=a',
      'output_format_schema=/tmp/x',
      'max_memory_usage_for_user=0',
      'profile=x',
    ]) {
      expect(await (await ask(settings)).text()).toContain('(READONLY)')
    }
    const limit = await fetch(`${running.url}/?query=SELECT+getSetting('max_execution_time')&max_execution_time=600`)
    expect((await limit.text()).trim()).toBe('60')
    expect(await (await ask('role=admin')).text()).toContain('(NOT_IMPLEMENTED)')
  })
})

describe('over plain HTTP', () => {
  const asWriter = { authorization: `Basic ${Buffer.from(`slotstream:${PASSWORD}`).toString('base64')}` }

  it('answers the routes of the interface', async () => {
    expect(await (await fetch(`${running.url}/ping`)).text()).toBe('Ok.\n')
    expect(await (await fetch(running.url)).text()).toBe('Ok.\n')
    expect((await fetch(`${running.url}/nothing`)).status).toBe(404)
  })

  it('takes the query from the URL, echoes its id, and defaults to TabSeparated', async () => {
    const response = await fetch(`${running.url}/?query=SELECT+1,2&query_id=mine`)
    expect(await response.text()).toBe('1\t2\n')
    expect(response.headers.get('x-clickhouse-query-id')).toBe('mine')
    expect(response.headers.get('x-clickhouse-format')).toBe('TabSeparated')
    expect(JSON.parse(response.headers.get('x-clickhouse-summary')!)).toMatchObject({ result_rows: '1' })
    const json = await fetch(`${running.url}/?query=SELECT+1+AS+a`, {
      headers: { 'x-clickhouse-format': 'JSONEachRow' },
    })
    expect(await json.text()).toBe('{"a":1}\n')
  })

  it('maps errors to status codes', async () => {
    const status = async (query: string, headers = {}): Promise<[number, string | null]> => {
      const response = await fetch(running.url, { method: 'POST', body: query, headers })
      await response.text()
      return [response.status, response.headers.get('x-clickhouse-exception-code')]
    }
    expect(await status('SELECT * FROM nowhere')).toEqual([404, '60'])
    expect(await status('SELEC 1', asWriter)).toEqual([400, '62'])
    expect(await status('SELECT throwIf(1)')).toEqual([500, '395'])
    expect(await status('SELECT 1', { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': 'wrong' })).toEqual([
      403,
      '516',
    ])
    expect(await status('SELECT 1', { 'x-clickhouse-user': 'default', 'x-clickhouse-key': 'wrong' })).toEqual([
      403,
      '516',
    ])
    expect(await status('SELECT 1; SELECT 2', asWriter)).toEqual([400, '62'])
  })

  it('takes credentials in all three places', async () => {
    for (const [query, headers] of [
      ['', asWriter],
      ['', { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }],
      [`?user=slotstream&password=${encodeURIComponent(PASSWORD)}`, {}],
    ] as const) {
      const response = await fetch(running.url + query, {
        method: 'POST',
        body: 'CREATE DATABASE IF NOT EXISTS slotstream',
        headers,
      })
      expect(response.status, await response.text()).toBe(200)
    }
  })

  it('refuses writes by GET', async () => {
    const response = await fetch(`${running.url}/?query=DROP+TABLE+t`, { headers: asWriter })
    expect(await response.text()).toContain('(READONLY)')
  })

  it.each([
    ['gzip', gzipSync, gunzipSync],
    ['br', brotliCompressSync, brotliDecompressSync],
    ['deflate', deflateSync, inflateSync],
  ] as const)('compresses both ways: %s', async (encoding, compress, decompress) => {
    const asked = request(`${running.url}/?enable_http_compression=1`, {
      method: 'POST',
      headers: { 'content-encoding': encoding, 'accept-encoding': `zstd, ${encoding};q=0.9` },
    })
    asked.end(compress('SELECT number FROM numbers(100000)'))
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    expect(response.headers['content-encoding']).toBe(encoding)
    const text = decompress(Buffer.concat(await response.toArray())).toString()
    expect(text.split('\n')).toHaveLength(100_001)
  })

  it('takes compressed inserts', async () => {
    const compressing = createClient({
      url: running.url,
      username: 'slotstream',
      password: PASSWORD,
      compression: { request: { codec: 'br', quality: 1 } },
    })
    clients.push(compressing)
    await writer.command({ query: 'CREATE TABLE z (n UInt64) ENGINE = MergeTree ORDER BY n' })
    const lines = Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}`).join('\n')
    const { stream } = await compressing.exec({
      query: 'INSERT INTO z FORMAT JSONEachRow',
      values: Readable.from([Buffer.from(lines)], { objectMode: false }),
    })
    for await (const _ of stream);
    expect(await count('z')).toBe(50_000)
  })

  it('says which encodings it takes', async () => {
    const response = await fetch(running.url, { method: 'POST', headers: { 'content-encoding': 'zstd' }, body: 'x' })
    expect(await response.text()).toContain('use gzip, br or deflate')
  })

  it('inserts with the SQL in the URL, in the body, and in a database of its own', async () => {
    const post = async (url: string, body: string): Promise<void> => {
      const response = await fetch(running.url + url, { method: 'POST', headers: asWriter, body })
      expect(response.status, await response.text()).toBe(200)
    }
    await post('/', 'CREATE DATABASE other')
    await post('/?database=other', 'CREATE TABLE h (n UInt64, s String) ENGINE = MergeTree ORDER BY n')
    await post('/?database=other&query=INSERT+INTO+h+FORMAT+JSONEachRow', '{"n":1,"s":"a;b"}\n')
    await post('/', `INSERT INTO other.h (s, n) FORMAT CSV\n${'"c;""d",2\n'.repeat(20_000)}`)
    await post('/?query=INSERT+INTO+other.h+VALUES', "(3, 'x; y'), (4, 'z')")
    await post('/?query=INSERT+INTO+other.h+FORMAT+JSONCompactEachRowWithNames', '["n"]\n[5]')
    await post('/', 'INSERT INTO other.h SELECT number, toString(number) FROM numbers(10)')
    await post('/?query=INSERT+INTO+other.h+FORMAT+JSONEachRow', ' \n')
    expect(await count('other.h')).toBe(20_014)
  })

  it.each(['Native', 'RowBinary', 'Parquet', 'ArrowStream', 'TSVWithNames', 'JSON', 'Values'])(
    'takes back what it gave out as %s',
    async format => {
      const table = `back_${format}`
      const post = async (query: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> => {
        const response = await fetch(`${running.url}/?query=${encodeURIComponent(query)}`, {
          method: 'POST',
          headers: asWriter,
          ...(body && { body }),
        })
        expect(response.status, format).toBe(200)
        return response
      }
      await post(`CREATE TABLE ${table} (n UInt64, s Nullable(String)) ENGINE = MergeTree ORDER BY n`)
      const select = `SELECT toUInt64(number) AS n, if(number % 3 = 0, NULL, char(number % 128, 39)) AS s FROM numbers(1000)`
      const given = new Uint8Array(await (await post(`${select} FORMAT ${format}`)).arrayBuffer())
      const inserted = await post(`INSERT INTO ${table} SETTINGS max_threads = 1 FORMAT ${format}`, given)
      if (format !== 'Values')
        expect(JSON.parse(inserted.headers.get('x-clickhouse-summary')!)).toMatchObject({ written_rows: '1000' })
      expect(await rows(analyst, `SELECT * FROM ${table} EXCEPT ${select}`)).toEqual([])
      expect(await count(table)).toBe(1_000)
    },
  )

  it('names the broken row of an insert, and no file of its own', async () => {
    const response = await fetch(`${running.url}/?query=INSERT+INTO+t+FORMAT+JSONEachRow`, {
      method: 'POST',
      headers: asWriter,
      body: '{"n":900}\n{"n":"many"}\n',
    })
    const text = await response.text()
    expect(text).toContain('(at row 2)')
    expect(text).not.toContain('spool')
    expect(await rows(analyst, 'SELECT * FROM t WHERE n = 900')).toEqual([])
    expect(readdirSync(join(folder, 'spool'))).toEqual([])
  })

  it('refuses a body over the limit, without reading it all', async () => {
    const small = await start(mkdtempSync(join(folder, 'small-')), { CLICKHOUSE_MAX_INSERT_BYTES: '1000' })
    const response = await fetch(`${small.url}/?query=INSERT+INTO+t+FORMAT+JSONEachRow`, {
      method: 'POST',
      headers: asWriter,
      body: '{"n":1}\n'.repeat(2_000_000),
    })
    expect(response.status).toBe(413)
    expect(await response.text()).toContain('(TOO_MANY_BYTES)')
    expect(await stop(small.process, 'SIGTERM')).toBe(0)
  })
})

describe('a session', () => {
  const session = (user: 'slotstream' | 'default', session_id: string): ClickHouseClient => {
    const client = createClient({
      url: running.url,
      username: user,
      password: user === 'slotstream' ? PASSWORD : '',
      session_id,
      log: { level: 127 },
    })
    clients.push(client)
    return client
  }
  const setting = async (client: ClickHouseClient, name: string, clickhouse_settings: ClickHouseSettings = {}) => {
    const query = `SELECT getSetting('${name}') AS value`
    const [row] = await (await client.query({ query, format: 'JSONEachRow', clickhouse_settings })).json<{
      value: unknown
    }>()
    return row!.value
  }
  const ask = async (query: string, parameters: string, headers = {}) =>
    (await fetch(`${running.url}/?${parameters}`, { method: 'POST', body: query, headers })).text()

  it.each(['slotstream', 'default'] as const)('of %s keeps what SET changes, and nobody else has it', async user => {
    const [one, other, none] = [session(user, 'one'), session(user, 'other'), user === 'default' ? analyst : writer]
    const usual = await setting(none, 'max_threads')
    await one.command({ query: 'SET max_threads = 3, join_use_nulls = 1' })
    expect(await setting(one, 'max_threads')).toBe(3)
    expect(await setting(one, 'join_use_nulls')).toBe(true)
    expect(await setting(other, 'max_threads')).toBe(usual)
    expect(await setting(none, 'max_threads')).toBe(usual)
    expect(await setting(one, 'max_threads', { max_threads: 5 })).toBe(5)
    expect(await setting(one, 'max_threads')).toBe(3)
    await one.command({ query: 'SET max_threads = DEFAULT' })
    expect(await setting(one, 'max_threads')).toBe(usual)
    expect(await setting(one, 'join_use_nulls')).toBe(true)
  })

  it('refuses a SET that the engine refuses, and goes on as before', async () => {
    const client = session('slotstream', 'refusing')
    await client.command({ query: 'SET max_threads = 3' })
    expect(await errorOf(client.command({ query: 'SET no_such_setting = 1' }))).toMatchObject({ code: '115' })
    expect(await errorOf(client.command({ query: "SET max_threads = 'many'" }))).toMatchObject({
      code: expect.any(String),
    })
    expect(await errorOf(client.command({ query: "SET profile = 'default'" }))).toMatchObject({ code: '48' })
    expect(await setting(client, 'max_threads')).toBe(3)
  })

  it('holds analysts to their limits', async () => {
    const client = session('default', 'limits')
    await client.command({ query: 'SET max_execution_time = 600, max_result_rows = 10' })
    expect(await setting(client, 'max_execution_time')).toBe(60)
    expect(await errorOf(rows(client, 'SELECT number FROM numbers(20000)'))).toMatchObject({
      type: 'TOO_MANY_ROWS_OR_BYTES',
    })
    for (const query of [
      'SET readonly = 0',
      "SET format_schema = 'x'",
      'SET max_memory_usage_for_user = 0',
      'CREATE TEMPORARY TABLE x (n Int8)',
      'INSERT INTO t VALUES (1, 1)',
    ]) {
      expect(await errorOf(client.command({ query }))).toMatchObject({ code: '164' })
    }
    expect((await errorOf(client.command({ query: 'SET max_threads = 1; DROP TABLE t' }))).code).toBe('62')
  })

  it('has the database of its USE', async () => {
    await writer.command({ query: 'CREATE DATABASE IF NOT EXISTS used' })
    expect(await ask('USE used', 'session_id=u')).toBe('')
    expect(await ask('SELECT currentDatabase()', 'session_id=u')).toBe('used\n')
    expect(await ask('SELECT currentDatabase()', 'session_id=u&database=system')).toBe('system\n')
    expect(await ask('SELECT currentDatabase()', '')).toBe('default\n')
    expect(await ask('USE nowhere', 'session_id=u')).toContain('(UNKNOWN_DATABASE)')
    expect(await ask('SELECT currentDatabase()', 'session_id=u')).toBe('used\n')
  })

  it('has temporary tables of its own, until it is closed', async () => {
    const [one, other] = [session('slotstream', 'temporary'), session('slotstream', 'temporary too')]
    await one.command({ query: 'CREATE TEMPORARY TABLE mine (n UInt64)' })
    await one.insert({ table: 'mine', values: [{ n: 1 }, { n: 2 }], format: 'JSONEachRow' })
    await errorOf(one.query({ query: 'SELECT 1', clickhouse_settings: { no_such_setting: 1 } }))
    await errorOf(rows(one, 'SELECT throwIf(1)'))
    expect(await rows(one, 'SELECT sum(n) AS s FROM mine')).toEqual([{ s: 3 }])
    expect(await errorOf(rows(other, 'SELECT * FROM mine'))).toMatchObject({ type: 'UNKNOWN_TABLE' })
    expect(await errorOf(rows(writer, 'SELECT * FROM mine'))).toMatchObject({ type: 'UNKNOWN_TABLE' })
    const asWriter = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }
    expect(await ask('SELECT count() FROM mine', 'session_id=temporary&close_session=1', asWriter)).toBe('2\n')
    expect(await ask('SELECT 1', 'session_id=temporary&session_check=1', asWriter)).toContain('(SESSION_NOT_FOUND)')
    expect(await errorOf(rows(one, 'SELECT * FROM mine'))).toMatchObject({ type: 'UNKNOWN_TABLE' })
  })

  it('takes one query at a time, and the next one as soon as the answer is there', async () => {
    const slow = ask('SELECT sleep(2)', 'session_id=busy')
    while (!(await ask('SELECT 1', 'session_id=busy')).includes('Code: 373')) {}
    expect(await slow).toBe('0\n')
    for (let i = 0; i < 50; i++) expect(await ask(`SELECT ${i}`, 'session_id=busy')).toBe(`${i}\n`)
  })

  it('ends after its time, and must be there when that is asked for', async () => {
    expect(await ask('SELECT 1', 'session_id=new&session_check=1')).toContain('Code: 372')
    expect(await ask('SELECT 1', 'session_id=new&session_timeout=1')).toBe('1\n')
    expect(await ask('SELECT 2', 'session_id=new&session_timeout=1&session_check=1')).toBe('2\n')
    await expect
      .poll(() => ask('SELECT 1', 'session_id=new&session_timeout=1&session_check=1'), {
        interval: 1_500,
        timeout: 30_000,
      })
      .toContain('(SESSION_NOT_FOUND)')
    expect(await ask('SELECT 1', 'session_id=new&session_timeout=3601')).toContain('(INVALID_SESSION_TIMEOUT)')
  })
})

describe('side by side', () => {
  const ENDLESS = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)'
  const isRunning = async (part: string): Promise<boolean> =>
    (
      await rows(
        writer,
        'SELECT 1 FROM system.processes WHERE query LIKE {part:String} AND query NOT LIKE {me:String}',
        {
          part: `%${part}%`,
          me: '%system.processes%',
        },
      )
    ).length > 0
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 50))
  }

  it('a small query and an insert pass a big one, and a client that leaves cancels it', async () => {
    const leaving = new AbortController()
    const big = analyst
      .query({ query: ENDLESS, format: 'TabSeparated', abort_signal: leaving.signal })
      .then(result => result.text())
      .catch((error: unknown) => error)
    await until(() => isRunning('1000000000000'))
    expect(await count('t')).toBeGreaterThan(0)
    await writer.insert({ table: 's', values: [{ n: 1 }], format: 'JSONEachRow' })
    expect(await isRunning('1000000000000')).toBe(true)
    leaving.abort()
    await big
    await until(async () => !(await isRunning('1000000000000')))
  })

  it('a scalar subquery does not hold up the server', async () => {
    const leaving = new AbortController()
    const big = fetch(running.url, {
      method: 'POST',
      body: 'SELECT (SELECT sum(sipHash64(number)) FROM numbers(1000000000001)), 1',
      signal: leaving.signal,
    }).catch(() => {})
    await until(() => isRunning('1000000000001'))
    expect(await count('t')).toBeGreaterThan(0)
    leaving.abort()
    await big
    await until(async () => !(await isRunning('1000000000001')))
  })

  it('a client that leaves in the middle of the rows cancels its query', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${running.url}/?query=SELECT+number+FROM+numbers(1000000000002)`, {
      signal: leaving.signal,
    })
    const reader = response.body!.getReader()
    await reader.read()
    expect(await isRunning('1000000000002')).toBe(true)
    leaving.abort()
    await until(async () => !(await isRunning('1000000000002')))
  })

  it.each(['SYNC', 'ASYNC'])('KILL QUERY … %s ends a query by the id its request had', async mode => {
    const number = mode === 'SYNC' ? '1000000000005' : '1000000000006'
    const query_id = `kill me ${mode}`
    const big = writer
      .query({
        query: `SELECT sum(sipHash64(number)) FROM numbers(${number})`,
        query_id,
        clickhouse_settings: { log_comment: 'mine' },
      })
      .catch((error: unknown) => error)
    await until(() => isRunning(number))
    await writer.command({ query: `KILL QUERY WHERE query_id = {id:String} ${mode}`, query_params: { id: 'another' } })
    expect(await isRunning(number)).toBe(true)
    await writer.command({ query: `KILL QUERY WHERE query_id = '${query_id}' ${mode}` })
    if (mode === 'SYNC') expect(await isRunning(number)).toBe(false)
    expect(await big).toMatchObject({ code: '394', type: 'QUERY_WAS_CANCELLED' })
  })

  it('a client that leaves cancels its query, whatever its log_comment is', async () => {
    const leaving = new AbortController()
    const big = writer
      .query({
        query: 'SELECT sum(sipHash64(number)) FROM numbers(1000000000007)',
        clickhouse_settings: { log_comment: 'mine' },
        abort_signal: leaving.signal,
      })
      .catch((error: unknown) => error)
    await until(() => isRunning('1000000000007'))
    leaving.abort()
    await big
    await until(async () => !(await isRunning('1000000000007')))
  })

  it('analysts see whole blocks, and ever more of them, while inserts go on', async () => {
    await writer.command({ query: 'CREATE TABLE w (n UInt64) ENGINE = MergeTree ORDER BY n' })
    let inserting = true
    const values = Array.from({ length: 1_000 }, (_, n) => ({ n }))
    const watch = async (): Promise<number[]> => {
      const seen: number[] = []
      while (inserting) seen.push(await count('w'))
      return seen
    }
    const watching = Promise.all([watch(), watch(), watch(), watch()])
    for (let block = 0; block < 15; block++) await writer.insert({ table: 'w', values, format: 'JSONEachRow' })
    inserting = false
    for (const seen of await watching) {
      expect(seen.filter(n => n % 1_000 !== 0)).toEqual([])
      expect(seen).toEqual([...seen].sort((a, b) => a - b))
    }
    expect(await count('w')).toBe(15_000)
  })

  it.each([
    ['time', 'SELECT sum(sipHash64(number)) FROM numbers(1000000000004)', 'max_execution_time=1', 'TIMEOUT_EXCEEDED'],
    ['memory', 'SELECT uniqExact(number) FROM numbers(20000000)', 'max_memory_usage=20000000', 'MEMORY_LIMIT_EXCEEDED'],
    ['rows', 'SELECT number FROM numbers(2000000)', 'max_result_rows=1000', 'TOO_MANY_ROWS_OR_BYTES'],
    ['rows read', 'SELECT sum(n) FROM w', 'max_rows_to_read=10', 'TOO_MANY_ROWS'],
  ])('a limit on %s ends the query with its own error', async (_what, query, limit, error) => {
    const response = await fetch(`${running.url}/?${limit}`, { method: 'POST', body: query })
    expect(await response.text()).toContain(`(${error})`)
    expect(response.status).toBeGreaterThanOrEqual(400)
  })

  it('twenty queries at once get their own answers', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        rows<{ x: number }>(i % 2 ? analyst : writer, 'SELECT {i:UInt32} AS x', { i }),
      ),
    )
    expect(answers.map(([row]) => row!.x)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })
})

describe('the process', () => {
  it('keeps what was inserted right before SIGKILL, and stops with 0 on SIGTERM while a query runs', async () => {
    const own = mkdtempSync(join(folder, 'own-'))
    const first = await start(own)
    const before = connect(first.url, 'slotstream')
    await before.command({ query: 'CREATE TABLE k (n UInt64) ENGINE = MergeTree ORDER BY n' })
    await before.insert({ table: 'k', values: Array.from({ length: 1_000 }, (_, n) => ({ n })), format: 'JSONEachRow' })
    await stop(first.process, 'SIGKILL')

    const second = await start(own)
    const after = connect(second.url, 'slotstream')
    expect(await rows(after, 'SELECT count() AS n FROM k')).toEqual([{ n: 1_000 }])
    const endless = rows(after, 'SELECT sum(sipHash64(number)) FROM numbers(1000000000003)').catch(
      (error: unknown) => error,
    )
    const insert = after.command({
      query: 'INSERT INTO k SELECT number FROM numbers(10) WHERE sleepEachRow(0.1) = 0 SETTINGS max_block_size = 1',
    })
    while ((await rows(after, "SELECT 1 FROM system.processes WHERE query LIKE 'INSERT%'")).length === 0) {}
    expect(await stop(second.process, 'SIGTERM')).toBe(0)
    expect(await endless).toMatchObject({ code: '236', type: 'ABORTED' })
    await insert

    const third = await start(own)
    expect(await rows(connect(third.url, 'default'), 'SELECT count() AS n FROM k')).toEqual([{ n: 1_010 }])
    expect(await stop(third.process, 'SIGINT')).toBe(0)
  })

  it('says what is wrong when it cannot start', async () => {
    await expect(start(folder, { CLICKHOUSE_PASSWORD: '' })).rejects.toThrow(
      /exit code 1:.*CLICKHOUSE_PASSWORD must be set/s,
    )
    await expect(start(folder)).rejects.toThrow(/exit code 1:.*another process has it open/s)
    await expect(start(folder, { CLICKHOUSE_PORT: 'x' })).rejects.toThrow(/CLICKHOUSE_PORT is .* a whole number/)
  })
})
