import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOOLS } from '../support/current-nats-server.js'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'

// Analysts' tools at the SQL port, each with the defaults of its driver: JDBC (DBeaver, DataGrip, Metabase, Tableau),
// Python's clickhouse-connect and Node's @clickhouse/client.

const FIXTURES = fileURLToPath(new URL('../fixtures/sql-clients/', import.meta.url))
const JDBC_VERSIONS = ['0.9.8', '0.10.0']
const PYTHON_PACKAGE = 'clickhouse-connect==1.12.0'

const run = promisify(execFile)
const has = (...programs: string[]) => programs.every(name => spawnSync(name, ['--version']).status === 0)
const hasJava = has('java', 'mvn')
const hasPython = has('python3')
if (!hasJava) console.warn('java and mvn are not on PATH: the test of the JDBC driver is skipped')
if (!hasPython) console.warn('python3 is not on PATH: the test of clickhouse-connect is skipped')

let folder: string
let running: Running

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sql-clients-'))
  running = await start(join(folder, 'clickhouse'))
  for (const sql of [
    'CREATE DATABASE shop',
    `CREATE TABLE shop.orders (id UInt32, note String, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id`,
    "INSERT INTO shop.orders VALUES (1, 'first', 0), (2, 'it\\'s', 0), (3, 'a\\tb', 0)",
  ]) {
    const headers = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }
    expect(await (await fetch(running.url, { method: 'POST', headers, body: sql })).text()).toBe('')
  }
})

afterAll(async () => {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

/** Lets Maven bring the driver, once for all runs on a machine. */
async function jdbcDriver(version: string): Promise<string> {
  const place = join(TOOLS, `clickhouse-jdbc-${version}`)
  const jars = join(place, 'jars')
  if (existsSync(join(jars, `clickhouse-jdbc-${version}.jar`))) return jars
  mkdirSync(place, { recursive: true })
  writeFileSync(
    join(place, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
     <groupId>test</groupId><artifactId>test</artifactId><version>1</version><dependencies><dependency>
     <groupId>com.clickhouse</groupId><artifactId>clickhouse-jdbc</artifactId><version>${version}</version>
     </dependency></dependencies></project>`,
  )
  await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], { cwd: place })
  return jars
}

describe.runIf(hasJava).each(JDBC_VERSIONS)('clickhouse-jdbc %s', version => {
  let jars: string

  beforeAll(async () => {
    jars = await jdbcDriver(version)
  }, 600_000)

  it('connects with its defaults, reads tables, columns and many rows, and prepares', async () => {
    const url = `jdbc:clickhouse://${new URL(running.url).host}/shop`
    // Tools send the word null where no password was given.
    const properties = ['', 'user=default,password=null', 'compress=false']
    const { stdout } = await run('java', ['-cp', join(jars, '*'), join(FIXTURES, 'Jdbc.java'), url, ...properties])
    const found = [
      'product ClickHouse',
      'tables [orders]',
      'columns [id, note, at]',
      'schemas true',
      `sum ${(99_999 * 100_000) / 2 + 100 * 100_000}`,
      'prepared [a\tb]',
      'error 395',
    ]
    expect(stdout.trim().split('\n')).toEqual(properties.flatMap(text => [`properties ${text}`, ...found]))
  })
})

describe.runIf(hasPython)('clickhouse-connect', () => {
  let packages: string

  beforeAll(async () => {
    packages = join(TOOLS, PYTHON_PACKAGE)
    if (existsSync(join(packages, 'clickhouse_connect'))) return
    const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check', 'install', '--target', packages]
    await run('python3', [...pip, PYTHON_PACKAGE])
  }, 600_000)

  it('queries with parameters, settings and external data, and tells late errors', async () => {
    const { hostname, port } = new URL(running.url)
    const { stdout } = await run('python3', [join(FIXTURES, 'connect.py'), hostname, port], {
      env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    })
    expect(JSON.parse(stdout)).toEqual({
      rows: [
        [1, 'first'],
        [2, "it's"],
        [3, 'a\tb'],
      ],
      parameters: [["it's"]],
      settings: [[2, 1000]],
      many: 100_000,
      ids: [['first'], ['a\tb']],
      'ids.csv': [['first'], ['a\tb']],
      early: true,
      late: true,
      version: 1,
    })
  })
})

describe('@clickhouse/client', () => {
  let client: ClickHouseClient

  beforeAll(() => {
    client = createClient({ url: running.url, database: 'shop', log: { level: 127 } })
  })

  afterAll(() => client.close())

  it('queries with parameters and settings', async () => {
    const result = await client.query({
      query: 'SELECT note FROM orders WHERE id = {id:UInt32}',
      query_params: { id: 3 },
      clickhouse_settings: { max_threads: 2, implicit_select: 0, max_execution_time: 10 },
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual([{ note: 'a\tb' }])
  })

  // Where the client reads slower than the connection ends, Node drops what it had not read, the error among it.
  it('tells the error of a result that breaks in the middle', { retry: 3 }, async () => {
    const result = await client.query({
      query: "SELECT throwIf(number = 3000000, 'boom'), number FROM numbers(4000000)",
      format: 'JSONEachRow',
    })
    const reading = (async () => {
      for await (const rows of result.stream()) for (const row of rows) row.text
    })()
    const error = await reading.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ClickHouseError)
    expect(error).toMatchObject({ code: '395', type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' })
  })

  it('gets the content type that ClickHouse gives a format', async () => {
    for (const [format, type] of [
      ['JSON', 'application/json; charset=UTF-8'],
      ['JSONEachRow', 'application/x-ndjson; charset=UTF-8'],
      ['CSV', 'text/csv; charset=UTF-8; header=absent'],
      ['CSVWithNames', 'text/csv; charset=UTF-8; header=present'],
      ['XML', 'application/xml; charset=UTF-8'],
      ['Parquet', 'application/octet-stream'],
    ]) {
      const response = await fetch(running.url, { method: 'POST', body: `SELECT 1 FORMAT ${format}` })
      await response.arrayBuffer()
      expect(response.headers.get('content-type')).toBe(type)
    }
  })

  it('is told what to do when a URL is too long, and errors are compressed like results', async () => {
    const long = await fetch(`${running.url}/?query=SELECT+1&param_a=${'x'.repeat(140_000)}`)
    expect(long.status).toBe(431)
    expect(await long.text()).toMatch(/^Code: 223\. .* more than 131072 bytes together: send the statement in the body/)
    const headers = { 'accept-encoding': 'gzip' }
    const failed = await fetch(`${running.url}/?enable_http_compression=1&query=nonsense`, { headers })
    expect(failed.headers.get('content-encoding')).toBe('gzip')
    expect(await failed.text()).toMatch(/^Code: 62\. .*Syntax error/s)
  })
})
