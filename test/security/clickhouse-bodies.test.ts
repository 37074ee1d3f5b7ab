import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blockOf, readBlocks } from '#clickhouse/http/native/blocks.js'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'

// What comes in the body of a request to the ClickHouse port besides SQL: compressed blocks and external tables.

let folder: string
let running: Running

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-bodies-'))
  running = await start(join(folder, 'clickhouse'))
})

afterAll(async () => {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

const MB = 1024 * 1024
const WRITER = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }

async function post(path: string, body: RequestInit['body'], headers: Record<string, string> = {}) {
  const response = await fetch(running.url + path, { method: 'POST', body: body ?? null, headers })
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
}

/** Sends a query with external tables: files by name, and parameters. */
async function withTables(query: string, files: Record<string, string>, parameters: Record<string, string> = {}) {
  const form = new FormData()
  for (const [name, value] of Object.entries(parameters)) form.set(name, value)
  for (const [name, rows] of Object.entries(files)) form.set(name, new Blob([rows]), `${name}.tsv`)
  const answer = await post(`/?query=${encodeURIComponent(query)}`, form)
  return { status: answer.status, text: answer.body.toString() }
}

describe('compressed blocks', () => {
  it('go both ways, and an error is readable text', async () => {
    const answer = await post(
      '/?compress=1&decompress=1',
      new Uint8Array(blockOf(Buffer.from("SELECT number, repeat('ab', 50) FROM numbers(9999)"))),
    )
    const text = (await readBlocks(answer.body, () => {})).toString()
    expect(text.split('\n')).toHaveLength(10_000)
    expect(text.endsWith(`9998\t${'ab'.repeat(50)}\n`)).toBe(true)
    expect(answer.body.length).toBeLessThan(text.length / 4)
    const failed = await post('/?compress=1', 'SELECT')
    expect(failed.status).toBe(400)
    expect(failed.body.toString()).toContain('(SYNTAX_ERROR)')
  })

  it('may unpack to no more than a body may have, whatever they say', async () => {
    const statement = Buffer.concat([Buffer.from('SELECT 1 --'), Buffer.alloc(MB, ' ')])
    const tooLarge = await post('/?decompress=1', new Uint8Array(blockOf(statement)))
    expect(tooLarge.status).toBe(413)
    expect(tooLarge.body.toString()).toContain('(TOO_MANY_BYTES)')
    const half = blockOf(statement.subarray(0, MB / 2))
    const many = await post('/?decompress=1', new Uint8Array(Buffer.concat([half, half, half])))
    expect(many.status).toBe(413)
    const bomb = Buffer.from(half)
    bomb.writeUInt32LE(2 ** 31, 21)
    expect((await post('/?decompress=1', new Uint8Array(bomb))).status).toBe(400)
    expect((await post('/', 'SELECT 1')).body.toString()).toBe('1\n')
  })

  it('are guarded like any statement', async () => {
    const answer = await post('/?decompress=1', new Uint8Array(blockOf(Buffer.from("SELECT file('/etc/passwd')"))))
    expect(answer.body.toString()).toContain('(ACCESS_DENIED)')
  })
})

describe('external tables', () => {
  it('belong to their query alone', async () => {
    const query = 'SELECT sum(a) FROM ids WHERE b IN (SELECT b FROM names)'
    const files = { ids: '1\tx\n2\ty\n', names: 'y\n' }
    const parameters = { ids_structure: 'a UInt32, b String', names_types: 'String' }
    const { text } = await withTables(query.replace('SELECT b ', 'SELECT _1 '), files, parameters)
    expect(text).toBe('2\n')
    expect((await post('/', 'SELECT * FROM ids')).body.toString()).toContain('(UNKNOWN_TABLE)')
    const left = "SELECT count() FROM system.tables WHERE database = '' OR database LIKE '_temporary%'"
    expect((await post('/', left)).body.toString()).toBe('0\n')
    const ofOthers = await post('/?database=_temporary_and_external_tables', 'SELECT * FROM ids')
    expect(ofOthers.body.toString()).toContain('(ACCESS_DENIED)')
  })

  it('are no way to write', async () => {
    const { text } = await withTables('INSERT INTO t VALUES (1)', { t: '1\n' }, { t_types: 'UInt8' })
    expect(text).toContain('(READONLY)')
    for (const query of ['TRUNCATE TEMPORARY TABLE t', 'CREATE TABLE u AS t', 'DROP TEMPORARY TABLE t'])
      expect((await withTables(query, { t: '1\n' }, { t_types: 'UInt8' })).text).toContain('(READONLY)')
  })

  it.each([
    'a UInt8 DEFAULT file(1)',
    "a UInt8 MATERIALIZED file('x')",
    'a UInt8, INDEX i a TYPE minmax',
    'a UInt8) ENGINE = File(CSV) AS SELECT (1',
    'a UInt8, PRIMARY KEY (a)',
    'a UInt8), b Tuple(UInt8',
    'a Tuple(UInt8',
    'a UInt8, CONSTRAINT c CHECK file(1)',
    'a UInt8 CODEC(ZSTD)',
    'a UInt8 TTL now()',
    'a AggregateFunction(sum, UInt8)',
    'a Nested(b AggregateFunction(sum, UInt8))',
    'a UInt8 -- b',
    'a UInt8; SELECT 1',
    'a',
    '',
  ])('have names and types alone: %s', async structure => {
    const { status, text } = await withTables('SELECT * FROM t', { t: '1\n' }, { t_structure: structure })
    expect(status).toBe(403)
    expect(text).toContain('(ACCESS_DENIED)')
  })

  it.each([
    ['a format that runs expressions', { t_types: 'UInt8', t_format: 'Values' }, 'UNKNOWN_FORMAT'],
    ['a format with a schema in a file', { t_types: 'UInt8', t_format: 'Protobuf' }, 'UNKNOWN_FORMAT'],
    ['a format whose rows name types of their own', { t_types: 'UInt8', t_format: 'Native' }, 'UNKNOWN_FORMAT'],
    [
      'values that name types of their own',
      { t_structure: 'a Array(Dynamic)', t_format: 'RowBinary' },
      'BAD_ARGUMENTS',
    ],
    ['a format that is SQL', { t_types: 'UInt8', t_format: 'CSV SETTINGS x = 1' }, 'UNKNOWN_FORMAT'],
    ['no columns', {}, 'BAD_ARGUMENTS'],
  ])('take no %s', async (_what, parameters, type) => {
    expect((await withTables('SELECT * FROM t', { t: '1\n' }, parameters)).text).toContain(`(${type})`)
  })

  it('have names of letters, are 16 at most, and 8 MB', async () => {
    const named = await withTables('SELECT 1', { 'a`; DROP': '1\n' }, { 'a`; DROP_types': 'UInt8' })
    expect(named.text).toContain('(BAD_ARGUMENTS)')
    const names = Array.from({ length: 17 }, (_, i) => `t${i}`)
    const files = Object.fromEntries(names.map(name => [name, '1\n']))
    const types = Object.fromEntries(names.map(name => [`${name}_types`, 'UInt8']))
    expect((await withTables('SELECT 1', files, types)).text).toContain('17 external tables: 16 are the most')
    const rows = (bytes: number): string => `${'x'.repeat(99)}\n`.repeat(bytes / 100)
    const large = await withTables('SELECT count() FROM t', { t: rows(7_000_000) }, { t_types: 'String' })
    expect(large.text).toBe('70000\n')
    const larger = await withTables('SELECT count() FROM t', { t: rows(9_000_000) }, { t_types: 'String' }).then(
      ({ status }) => String(status),
      // The answer may come, and the connection end, while the rest is still being sent.
      (error: Error) => String((error.cause as Error | undefined)?.message ?? error.message),
    )
    expect(larger).toMatch(/^413$|EPIPE|ECONNRESET|other side closed/)
  })

  it('take bounded memory, and leave none behind while other queries run', async () => {
    const wide = Array.from({ length: 400 }, (_, i) => `c${i} UInt256`).join(', ')
    const bomb = await withTables(
      'SELECT count() FROM t',
      { t: '{}\n'.repeat(500_000) },
      {
        t_structure: wide,
        t_format: 'JSONEachRow',
      },
    )
    expect(bomb.text).toContain('(MEMORY_LIMIT_EXCEEDED)')
    // The engine closes no connection while this one runs.
    const running = post('/', 'SELECT sleepEachRow(3) FROM numbers(3) SETTINGS max_block_size = 1 FORMAT Null', WRITER)
    const memory = async () =>
      Number((await post('/', "SELECT value FROM system.metrics WHERE metric = 'MemoryTracking'", WRITER)).body)
    const before = await memory()
    for (let n = 0; n < 5; n++) {
      const rows = '{}\n'.repeat(10_000)
      const { text } = await withTables(
        'SELECT count() FROM t',
        { t: rows },
        {
          t_structure: wide,
          t_format: 'JSONEachRow',
        },
      )
      expect(text).toBe('10000\n')
    }
    // Five tables hold 640 MB.
    expect((await memory()) - before).toBeLessThan(300_000_000)
    await running
  })
})
