import { readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EngineConnection } from '#clickhouse/engine/connections/connections.js'
import { openData } from '#clickhouse/engine/open-engine.js'
import * as reviewed from '#clickhouse/guard/names/engine-names.js'
import { type Canaries, putUpCanaries } from '../support/canaries.js'

// Every name that the lists let analysts and builders use, called by an engine with nothing in front of it and no
// grants, with the path of a file, the address of a server and their like in each place: none may open the one, connect
// to the other, make a file, or tell what is in the environment. The lists are gone through as a whole, and compared
// with the engine by `clickhouse-grants`. Layouts and sources of dictionaries are not among them: no user makes
// dictionaries.

const SECRET = 'secret-of-the-canary'
const SECRET_OF_ENVIRONMENT = 'secret-of-the-environment'
const LONG_AGO = new Date('2001-01-01')

let canaries: Canaries
let connection: EngineConnection
let shapes: string[]
let before: string

beforeAll(async () => {
  process.env.CANARY_PASSWORD = SECRET_OF_ENVIRONMENT
  canaries = await putUpCanaries('clickhouse-functions', SECRET)
  const { connect } = await openData(join(canaries.folder, 'data'), { grants: false })
  connection = connect()
  shapes = argumentsOf(canaries)
  for (const sql of [
    'SET max_execution_time = 2, max_memory_usage = 1000000000, max_threads = 1',
    'CREATE DATABASE built',
    'CREATE TABLE built.t (s String) ENGINE = MergeTree ORDER BY s',
  ])
    await connection.queryAsync(sql)
  utimesSync(canaries.file, LONG_AGO, new Date())
  before = outside()
})

afterAll(() => {
  canaries?.remove()
  delete process.env.CANARY_PASSWORD
})

/** Lists of arguments, up to five, with the canaries in each place. */
function argumentsOf({ file, port }: Canaries): string[] {
  const path = `'${file}'`
  const url = `'http://127.0.0.1:${port}/x'`
  const host = `'127.0.0.1:${port}'`
  const pairs = ['1', `[${path}]`, "'CSV'"].flatMap(other => [`${path}, ${other}`, `${other}, ${path}`])
  const triples = [
    `${path}, 'CSV', 'a String'`,
    `'CSV', 'a String', ${path}`,
    `${path}, 1, 1`,
    `1, ${path}, 1`,
    `1, 1, ${path}`,
    `'aes-128-ecb', ${path}, '0123456789abcdef'`,
    `${host}, 'system', 'one'`,
  ]
  const same = [1, 2, 3, 4, 5].map(count => Array(count).fill(path).join(', '))
  return ['', url, `${url}, ${url}`, 's', 's, s', `[${path}]`, `x -> x, [${path}]`, ...same, ...pairs, ...triples]
}

/** What is in reach of the engine and must stay as it is. */
function outside(): string {
  return JSON.stringify({
    files: readdirSync(canaries.folder),
    made: readdirSync(join(canaries.folder, 'data', 'user_files')),
    connections: canaries.connections(),
    opened: statSync(canaries.file).atimeMs !== LONG_AGO.getTime(),
  })
}

/** Runs all statements, looks whether any got outside, and returns how many ran without an error. */
async function runAll(name: string, statements: readonly string[]): Promise<number> {
  const answers = await Promise.all(
    statements.map(sql =>
      connection.queryAsync(sql, { format: 'TSVRaw' }).then(
        result => ({ ran: 1, text: result.text() }),
        (error: unknown) => ({ ran: 0, text: String(error) }),
      ),
    ),
  )
  const text = answers.map(answer => answer.text).join('\n')
  expect(outside(), name).toBe(before)
  expect(text.includes(SECRET) || text.includes(SECRET_OF_ENVIRONMENT), name).toBe(false)
  return answers.reduce((sum, { ran }) => sum + ran, 0)
}

/** Runs what is made of each name, and expects a part of the names to have run at least once. */
async function runEach(names: readonly string[], make: (name: string) => string[], part: number): Promise<void> {
  let ran = 0
  for (const name of names) if ((await runAll(name, make(name))) > 0) ran++
  expect(ran, 'names that ran at least once').toBeGreaterThan(names.length * part)
}

const list = async (sql: string): Promise<string[]> =>
  (await connection.queryAsync(sql, { format: 'TSVRaw' })).text().trim().split('\n')
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

it('the canaries notice what they are for', async () => {
  const { file, port } = canaries
  const open = runAll('file', [`SELECT file('${file}')`])
  await expect(open).rejects.toThrow('file')
  utimesSync(file, LONG_AGO, new Date())
  await expect(
    runAll('url', [`SELECT * FROM url('http://127.0.0.1:${port}/', 'LineAsString') SETTINGS http_max_tries = 1`]),
  ).rejects.toThrow('url')
  before = outside()
})

it('no function', { timeout: 900_000 }, async () => {
  const make = (name: string): string[] =>
    shapes.map(shape => `SELECT ${name}(${shape}) FROM (SELECT '${canaries.file}' AS s)`)
  await runEach(reviewed.FUNCTIONS, make, 0.3)
})

it('no table function', { timeout: 300_000 }, async () => {
  await runEach(reviewed.TABLE_FUNCTIONS, name => shapes.map(shape => `SELECT * FROM ${name}(${shape}) LIMIT 3`), 0.4)
})

it('no format, in which results are written or rows are read', { timeout: 300_000 }, async () => {
  const make = (name: string): string[] => [
    `SELECT '${canaries.file}' AS s FORMAT ${name}`,
    `SELECT formatRow('${name}', '${canaries.file}')`,
    `INSERT INTO built.t FORMAT ${name} ${canaries.file}`,
    `INSERT INTO built.t FORMAT ${name} {"s":"${canaries.file}"}`,
  ]
  await runEach(await list('SELECT name FROM system.formats'), make, 0.5)
})

it('no type, codec, engine or index', { timeout: 300_000 }, async () => {
  const path = `'${canaries.file}'`
  const create = (columns: string, engine = 'MergeTree'): string =>
    `CREATE OR REPLACE TABLE built.x (s String, n UInt64, ${columns}) ENGINE = ${engine} ORDER BY tuple()`
  const asked = ['', `(${path})`, `(1, ${path})`, `(${path}, ${path})`, `(dictionary = ${path})`]
  await runEach(
    reviewed.DATA_TYPES,
    name =>
      asked.flatMap(given => [create(`c ${name}${given}`), `SELECT CAST(s, ${quoted(name + given)}) FROM built.t`]),
    0.4,
  )
  const codecs = await list('SELECT name FROM system.codecs')
  await runEach(codecs, name => asked.map(given => create(`c UInt64 CODEC(${name}${given})`)), 0.4)
  await runEach(reviewed.BUILDER_TABLE_ENGINES, name => asked.map(given => create('c UInt8', `${name}${given}`)), 0.4)
  const indices = await list('SELECT name FROM system.data_skipping_index_types')
  const tokenizers = await list('SELECT name FROM system.tokenizers')
  const texts = [...tokenizers, path].flatMap(tokenizer => [
    `(tokenizer = ${tokenizer})`,
    `(tokenizer = ${tokenizer}(${path}))`,
    `(tokenizer = ${tokenizer}, preprocessor = concat(s, ${path}))`,
  ])
  await runEach(
    indices,
    name => [...asked, ...texts].map(given => create(`INDEX i s TYPE ${name}${given} GRANULARITY 1`)),
    0.2,
  )
})

it('no function but those whose types are looked at makes bytes a state', { timeout: 300_000 }, async () => {
  const type = "'AggregateFunction(sum, UInt64)'"
  const bytes = "unhex(hex(initializeAggregation('sumState', toUInt64(1))))"
  const shapes = [`${bytes}, ${type}`, type, `${type}, ${bytes}`, `'{"a":1}', ${type}`, `'{"a":1}', 'a', ${type}`]
  const found: string[] = []
  for (const name of reviewed.FUNCTIONS) {
    for (const shape of shapes) {
      const sql = `SELECT toTypeName(${name}(${shape})) = ${type} AS is FROM (SELECT 1) WHERE is`
      const text = await connection.queryAsync(sql, { format: 'TSVRaw' }).then(
        result => result.text(),
        () => '',
      )
      if (text !== '' && !found.includes(name)) found.push(name)
    }
  }
  expect(found).toContain('CAST')
  expect(found.filter(name => !Object.hasOwn(reviewed.TYPED_FUNCTIONS, name))).toEqual([])
})
