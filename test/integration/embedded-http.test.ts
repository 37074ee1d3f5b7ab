import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { type ClickHouseClient, type ClickHouseSettings, createClient } from '@clickhouse/client'
import { describe, expect, it } from 'vitest'
import { AS_WRITER, type EmbeddedUser, errorOf, rowsOf, withEmbeddedClickHouse } from '../support/embedded-clients.js'
import { PASSWORD, start, stop } from '../support/embedded-server.js'

const world = withEmbeddedClickHouse()

describe('over plain HTTP', () => {
  it('answers the routes of the interface', async () => {
    expect(await (await fetch(`${world.running.url}/ping`)).text()).toBe('Ok.\n')
    expect(await (await fetch(world.running.url)).text()).toBe('Ok.\n')
    expect((await fetch(`${world.running.url}/nothing`)).status).toBe(404)
  })

  it('takes the query from the URL, echoes its id, and defaults to TabSeparated', async () => {
    const response = await fetch(`${world.running.url}/?query=SELECT+1,2&query_id=mine`)
    expect(await response.text()).toBe('1\t2\n')
    expect(response.headers.get('x-clickhouse-query-id')).toBe('mine')
    expect(response.headers.get('x-clickhouse-format')).toBe('TabSeparated')
    expect(JSON.parse(response.headers.get('x-clickhouse-summary')!)).toMatchObject({ result_rows: '1' })
    const json = await fetch(`${world.running.url}/?query=SELECT+1+AS+a`, {
      headers: { 'x-clickhouse-format': 'JSONEachRow' },
    })
    expect(await json.text()).toBe('{"a":1}\n')
  })

  it('maps errors to status codes', async () => {
    const status = async (query: string, headers = {}): Promise<[number, string | null]> => {
      const response = await fetch(world.running.url, { method: 'POST', body: query, headers })
      await response.text()
      return [response.status, response.headers.get('x-clickhouse-exception-code')]
    }
    expect(await status('SELECT * FROM nowhere')).toEqual([404, '60'])
    expect(await status('SELEC 1', AS_WRITER)).toEqual([400, '62'])
    expect(await status('SELECT throwIf(1)')).toEqual([500, '395'])
    expect(await status('SELECT 1', { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': 'wrong' })).toEqual([
      403,
      '516',
    ])
    expect(await status('SELECT 1', { 'x-clickhouse-user': 'default', 'x-clickhouse-key': 'wrong' })).toEqual([
      403,
      '516',
    ])
    expect(await status('SELECT 1; SELECT 2', AS_WRITER)).toEqual([400, '62'])
  })

  it('takes credentials in all three places', async () => {
    for (const [query, headers] of [
      ['', AS_WRITER],
      ['', { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }],
      [`?user=slotstream&password=${encodeURIComponent(PASSWORD)}`, {}],
    ] as const) {
      const response = await fetch(world.running.url + query, {
        method: 'POST',
        body: 'CREATE DATABASE IF NOT EXISTS slotstream',
        headers,
      })
      expect(response.status, await response.text()).toBe(200)
    }
  })

  it('refuses writes by GET', async () => {
    const response = await fetch(`${world.running.url}/?query=DROP+TABLE+t`, { headers: AS_WRITER })
    expect(await response.text()).toContain('(READONLY)')
  })

  it.each([
    ['gzip', gzipSync, gunzipSync],
    ['br', brotliCompressSync, brotliDecompressSync],
    ['deflate', deflateSync, inflateSync],
  ] as const)('compresses both ways: %s', async (encoding, compress, decompress) => {
    const asked = request(`${world.running.url}/?enable_http_compression=1`, {
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
      url: world.running.url,
      username: 'slotstream',
      password: PASSWORD,
      compression: { request: { codec: 'br', quality: 1 } },
    })
    world.closeLater(compressing)
    await world.writer.command({ query: 'CREATE TABLE z (n UInt64) ENGINE = MergeTree ORDER BY n' })
    const lines = Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}`).join('\n')
    const { stream } = await compressing.exec({
      query: 'INSERT INTO z FORMAT JSONEachRow',
      values: Readable.from([Buffer.from(lines)], { objectMode: false }),
    })
    for await (const _ of stream);
    expect(await world.count('z')).toBe(50_000)
  })

  it('says which encodings it takes', async () => {
    const response = await fetch(world.running.url, {
      method: 'POST',
      headers: { 'content-encoding': 'zstd' },
      body: 'x',
    })
    expect(await response.text()).toContain('use gzip, br or deflate')
  })

  it('inserts with the SQL in the URL, in the body, and in a database of its own', async () => {
    const post = async (url: string, body: string): Promise<void> => {
      const response = await fetch(world.running.url + url, { method: 'POST', headers: AS_WRITER, body })
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
    expect(await world.count('other.h')).toBe(20_014)
  })

  it.each(['Native', 'RowBinary', 'Parquet', 'ArrowStream', 'TSVWithNames', 'JSON', 'Values'])(
    'takes back what it gave out as %s',
    async format => {
      const table = `back_${format}`
      const post = async (query: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> => {
        const response = await fetch(`${world.running.url}/?query=${encodeURIComponent(query)}`, {
          method: 'POST',
          headers: AS_WRITER,
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
      expect(await rowsOf(world.analyst, `SELECT * FROM ${table} EXCEPT ${select}`)).toEqual([])
      expect(await world.count(table)).toBe(1_000)
    },
  )

  it('names the broken row of an insert, and no file of its own', async () => {
    const response = await fetch(`${world.running.url}/?query=INSERT+INTO+t+FORMAT+JSONEachRow`, {
      method: 'POST',
      headers: AS_WRITER,
      body: '{"n":900}\n{"n":"many"}\n',
    })
    const text = await response.text()
    expect(text).toContain('(at row 2)')
    expect(text).not.toContain('spool')
    expect(await rowsOf(world.analyst, 'SELECT * FROM t WHERE n = 900')).toEqual([])
    expect(readdirSync(join(world.folder, 'spool'))).toEqual([])
  })

  it('refuses a body over the limit, without reading it all', async () => {
    const small = await start(mkdtempSync(join(world.folder, 'small-')), { CLICKHOUSE_MAX_INSERT_BYTES: '1000' })
    const response = await fetch(`${small.url}/?query=INSERT+INTO+t+FORMAT+JSONEachRow`, {
      method: 'POST',
      headers: AS_WRITER,
      body: '{"n":1}\n'.repeat(2_000_000),
    })
    expect(response.status).toBe(413)
    expect(await response.text()).toContain('(TOO_MANY_BYTES)')
    expect(await stop(small.process, 'SIGTERM')).toBe(0)
  })
})

describe('a session', () => {
  const session = (user: EmbeddedUser, sessionId: string) => world.connect(world.running.url, user, sessionId)
  const setting = async (client: ClickHouseClient, name: string, clickhouse_settings: ClickHouseSettings = {}) => {
    const query = `SELECT getSetting('${name}') AS value`
    const [row] = await (await client.query({ query, format: 'JSONEachRow', clickhouse_settings })).json<{
      value: unknown
    }>()
    return row!.value
  }
  const ask = async (query: string, parameters: string, headers = {}) =>
    (await fetch(`${world.running.url}/?${parameters}`, { method: 'POST', body: query, headers })).text()

  it.each(['slotstream', 'default'] as const)('of %s keeps what SET changes, and nobody else has it', async user => {
    const [one, other, none] = [
      session(user, 'one'),
      session(user, 'other'),
      user === 'default' ? world.analyst : world.writer,
    ]
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
    expect(await errorOf(rowsOf(client, 'SELECT number FROM numbers(20000)'))).toMatchObject({
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
    await world.writer.command({ query: 'CREATE DATABASE IF NOT EXISTS used' })
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
    await errorOf(rowsOf(one, 'SELECT throwIf(1)'))
    expect(await rowsOf(one, 'SELECT sum(n) AS s FROM mine')).toEqual([{ s: 3 }])
    expect(await errorOf(rowsOf(other, 'SELECT * FROM mine'))).toMatchObject({ type: 'UNKNOWN_TABLE' })
    expect(await errorOf(rowsOf(world.writer, 'SELECT * FROM mine'))).toMatchObject({ type: 'UNKNOWN_TABLE' })
    const asWriter = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }
    expect(await ask('SELECT count() FROM mine', 'session_id=temporary&close_session=1', asWriter)).toBe('2\n')
    expect(await ask('SELECT 1', 'session_id=temporary&session_check=1', asWriter)).toContain('(SESSION_NOT_FOUND)')
    expect(await errorOf(rowsOf(one, 'SELECT * FROM mine'))).toMatchObject({ type: 'UNKNOWN_TABLE' })
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
