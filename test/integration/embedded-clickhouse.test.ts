import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { describe, expect, it } from 'vitest'
import { errorOf, rowsOf, withEmbeddedClickHouse } from '../support/embedded-clients.js'
import { start, stop } from '../support/embedded-server.js'

const world = withEmbeddedClickHouse()

describe('through @clickhouse/client', () => {
  it('answers pings, with and without a query', async () => {
    expect((await world.analyst.ping()).success).toBe(true)
    expect((await world.analyst.ping({ select: true })).success).toBe(true)
  })

  it('inserts and queries with parameters, of every kind', async () => {
    await world.writer.command({ query: 'CREATE TABLE p (n UInt64, s String) ENGINE = MergeTree ORDER BY n' })
    const { summary } = await world.writer.insert({
      table: 'p',
      values: [
        { n: 1, s: "it's; DROP TABLE p" },
        { n: 2, s: 'tab\tand\\slash\nand line' },
      ],
      format: 'JSONEachRow',
    })
    expect(summary?.written_rows).toBe('2')
    expect(
      await rowsOf(world.analyst, 'SELECT s FROM p WHERE s = {s:String}', { s: "it's; DROP TABLE p" }),
    ).toHaveLength(1)
    expect(
      await rowsOf(world.analyst, 'SELECT n FROM p WHERE s = {s:String}', { s: 'tab\tand\\slash\nand line' }),
    ).toHaveLength(1)
    expect(await rowsOf(world.analyst, 'SELECT n FROM p WHERE n IN {ids:Array(UInt64)}', { ids: [2, 3] })).toEqual([
      { n: 2 },
    ])
    expect(await rowsOf(world.analyst, 'SELECT {x:Nullable(String)} IS NULL AS isNull', { x: null })).toEqual([
      { isNull: 1 },
    ])
    const long = 'x'.repeat(20_000)
    expect(await rowsOf(world.analyst, 'SELECT length({long:String}) AS n', { long })).toEqual([{ n: 20_000 }])
  })

  it('does not lend one query the parameters of another', async () => {
    await rowsOf(world.analyst, 'SELECT {secret:String} AS x', { secret: 'mine' })
    const error = await errorOf(rowsOf(world.analyst, 'SELECT {secret:String} AS x'))
    expect(error).toMatchObject({ code: '456', type: 'UNKNOWN_QUERY_PARAMETER' })
  })

  it('gives a typed error for bad SQL, a missing table and a missing setting', async () => {
    expect(await errorOf(rowsOf(world.writer, 'SELEC 1'))).toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    expect(await errorOf(rowsOf(world.analyst, 'SELECT 1,, 2'))).toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    expect(await errorOf(rowsOf(world.analyst, 'SELECT * FROM nowhere'))).toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    })
    const odd = world.writer.query({ query: 'SELECT 1', clickhouse_settings: { no_such_setting: 1 } })
    expect(await errorOf(odd)).toMatchObject({ code: '115', type: 'UNKNOWN_SETTING' })
  })

  it('reads the formats whose envelope must come once', async () => {
    const query = 'SELECT number, toString(number) AS s FROM numbers(100000)'
    const json = await (await world.analyst.query({ query, format: 'JSON' })).json<{ number: string }>()
    expect(json.data).toHaveLength(100_000)
    expect(json.rows).toBe(100_000)
    const csv = await (await world.analyst.query({ query, format: 'CSVWithNames' })).text()
    expect(csv.match(/"number"/g)).toHaveLength(1)
    expect(csv.trimEnd().split('\n')).toHaveLength(100_001)
  })

  it('streams 300,000 rows to a reader that pauses', async () => {
    const result = await world.analyst.query({
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
      `${world.running.url}/?query=${encodeURIComponent('SELECT throwIf(number = 5000000) FROM numbers(9000000)')}`,
    )
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  })

  it('inserts a stream, and an insert of no rows is fine', async () => {
    const values = Readable.from(Array.from({ length: 5_000 }, (_, n) => ({ n })))
    await world.writer.insert({ table: 's', values, format: 'JSONEachRow' })
    await world.writer.insert({ table: 's', values: Readable.from([]), format: 'JSONEachRow' })
    expect(await world.count('s')).toBe(5_000)
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
    const usual = await setting(world.writer, {})
    expect(await setting(world.writer, { max_threads: 1, max_block_size: '77' })).toEqual([1, 77])
    expect(await setting(world.writer, {})).toEqual(usual)
    const usualOfAnalysts = await setting(world.analyst, {})
    await setting(world.analyst, { max_threads: 1 })
    expect(await setting(world.analyst, {})).toEqual(usualOfAnalysts)
    await world.writer.command({ query: 'SET max_threads = 1' })
    expect(await setting(world.writer, {})).toEqual(usual)
  })
})

describe('deduplication by token', () => {
  const insert = (n: number, insert_deduplication_token?: string): Promise<unknown> =>
    world.writer.insert({
      table: 't',
      values: [{ n, s: 'x' }],
      format: 'JSONEachRow',
      ...(insert_deduplication_token ? { clickhouse_settings: { insert_deduplication_token } } : {}),
    })

  it('drops the second insert with a token, and leaves inserts without one alone', async () => {
    await insert(1, 'EVENTS:1-500')
    await insert(2, 'EVENTS:1-500')
    expect(await world.count('t')).toBe(1)
    await insert(3)
    await insert(4)
    expect(await world.count('t')).toBe(3)
    await insert(5, 'EVENTS:501-600')
    await insert(6, 'EVENTS:1-500')
    expect(await world.count('t')).toBe(4)
  })

  it('does so for a token in the SQL as well', async () => {
    await world.writer.command({
      query: 'CREATE TABLE d (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 9',
    })
    for (const n of [1, 2])
      await world.writer.command({ query: `INSERT INTO d SETTINGS insert_deduplication_token = 'a' VALUES (${n})` })
    for (const n of [3, 4]) await world.writer.command({ query: `INSERT INTO d VALUES (${n})` })
    expect(await world.count('d')).toBe(3)
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

  it.each(refused)('is rejected: %s', async query => {
    const response = await fetch(world.running.url, { method: 'POST', body: query })
    const body = await response.text()
    expect(response.status, body).toBeGreaterThanOrEqual(400)
    expect(body).toMatch(/^Code: \d+\. DB::Exception: .*\([A-Z_]+\) \(version 26\.[\d.]+\)\n$/s)
    expect(body).not.toContain('root:')
  })

  it('cannot name a function by a parameter', async () => {
    const query = "SELECT arrayMap({f:Identifier}, ['/etc/passwd'])"
    expect(await errorOf(rowsOf(world.analyst, query, { f: 'file' }))).toMatchObject({ code: '497' })
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
    const response = await fetch(world.running.url, { method: 'POST', body: query })
    expect(response.status, await response.text()).toBe(200)
  })

  it('may choose how results look, and no more', async () => {
    const ask = async (settings: string): Promise<Response> =>
      fetch(`${world.running.url}/?query=SELECT+toUInt64(1)+AS+n&default_format=JSONEachRow&${settings}`)
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
    const limit = await fetch(
      `${world.running.url}/?query=SELECT+getSetting('max_execution_time')&max_execution_time=600`,
    )
    expect((await limit.text()).trim()).toBe('60')
    expect(await (await ask('role=admin')).text()).toContain('(NOT_IMPLEMENTED)')
  })
})

describe('the process', () => {
  it('keeps what was inserted right before SIGKILL, and stops with 0 on SIGTERM while queries run, read or not', async () => {
    const own = mkdtempSync(join(world.folder, 'own-'))
    const first = await start(own)
    const before = world.connect(first.url, 'slotstream')
    await before.command({ query: 'CREATE TABLE k (n UInt64) ENGINE = MergeTree ORDER BY n' })
    await before.insert({ table: 'k', values: Array.from({ length: 1_000 }, (_, n) => ({ n })), format: 'JSONEachRow' })
    await stop(first.process, 'SIGKILL')

    const second = await start(own)
    const after = world.connect(second.url, 'slotstream')
    expect(await rowsOf(after, 'SELECT count() AS n FROM k')).toEqual([{ n: 1_000 }])
    const endless = rowsOf(after, 'SELECT sum(sipHash64(number)) FROM numbers(1000000000003)').catch(
      (error: unknown) => error,
    )
    // Its client takes the head, and then no more.
    const unread = await fetch(`${second.url}/?query=SELECT+number+FROM+numbers(1000000000003)`)
    expect(unread.status).toBe(200)
    const insert = after.command({
      query: 'INSERT INTO k SELECT number FROM numbers(10) WHERE sleepEachRow(0.1) = 0 SETTINGS max_block_size = 1',
    })
    while ((await rowsOf(after, "SELECT 1 FROM system.processes WHERE query LIKE 'INSERT%'")).length === 0) {}
    expect(await stop(second.process, 'SIGTERM')).toBe(0)
    expect(await endless).toMatchObject({ code: '236', type: 'ABORTED' })
    await insert

    const third = await start(own)
    expect(await rowsOf(world.connect(third.url, 'default'), 'SELECT count() AS n FROM k')).toEqual([{ n: 1_010 }])
    expect(await stop(third.process, 'SIGINT')).toBe(0)
  })

  it('says what is wrong when it cannot start', async () => {
    await expect(start(world.folder, { CLICKHOUSE_PASSWORD: '' })).rejects.toThrow(
      /exit code 1:.*CLICKHOUSE_PASSWORD must be set/s,
    )
    await expect(start(world.folder)).rejects.toThrow(/exit code 1:.*another process has it open/s)
    await expect(start(world.folder, { CLICKHOUSE_PORT: 'x' })).rejects.toThrow(/CLICKHOUSE_PORT is .* a whole number/)
  })
})
