import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FUNCTIONS } from '#clickhouse/guard/names/engine-names.js'
import { type Supervised, supervise } from '#supervisor/process/supervised.js'
import { MAIN, PASSWORD } from '../support/embedded-server.js'
import { freePorts } from '../support/free-ports.js'
import { until } from '../support/until.js'

// What ends the engine from inside, by one statement: input that is nested deeply, and forged states of functions. No
// user but the writer gets so far; and an engine that has ended is started again.

const COMMAND = fileURLToPath(new URL('../../clickhouse/dist/users/main.js', import.meta.url))
const AS_WRITER = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }
/** Bytes of a bitmap whose containers aren't where they say: the engine reads them beyond their end. */
const FORGED = "unhex('010f3b3000000165001f4e000000001f4e')"
const STATE = 'AggregateFunction(groupBitmap, UInt32)'

const MADE = "initializeAggregation('groupBitmapState', toUInt32(1))"

let folder: string
let url: string
let server: Supervised
let asBuilder: Record<string, string>
const deaths: string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-crashes-'))
  const env = { ...process.env, DATA_DIR: folder, CLICKHOUSE_DATA_DIR: join(folder, 'clickhouse') }
  const added = await promisify(execFile)(
    process.execPath,
    [COMMAND, 'add', 'bea', '--role', 'builder', '--databases', 'marts'],
    { env },
  )
  const key = /password \(shown this once\): (\S+)/.exec(added.stdout)![1]!
  asBuilder = { 'x-clickhouse-user': 'bea', 'x-clickhouse-key': key }
  const [port] = await freePorts(1)
  url = `http://127.0.0.1:${port}`
  const isUp = async () => (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(5_000) })).ok
  server = supervise(
    {
      name: 'clickhouse',
      command: process.execPath,
      args: [MAIN],
      env: { ...env, CLICKHOUSE_PORT: String(port), CLICKHOUSE_PASSWORD: PASSWORD, UV_THREADPOOL_SIZE: '24' },
      logFile: join(folder, 'clickhouse.log'),
      isReady: isUp,
      answers: isUp,
      ours: true,
    },
    { started: () => {}, ready: () => {}, died: (_name, how) => deaths.push(how), stuck: () => deaths.push('stuck') },
  )
  await until('the engine answers', isUp, Boolean)
  for (const sql of [
    'CREATE DATABASE marts',
    `CREATE TABLE marts.states (n UInt32, s ${STATE}) ENGINE = AggregatingMergeTree ORDER BY n`,
    `CREATE TABLE marts.maps (n UInt32, s Map(String, ${STATE})) ENGINE = MergeTree ORDER BY n`,
    'CREATE TABLE marts.sums (n UInt32, s SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY n',
  ])
    expect(await ask(sql, AS_WRITER)).toBe('')
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(query: string, headers: Record<string, string> = {}, parameters = ''): Promise<string> {
  return (await fetch(`${url}/?${parameters}`, { method: 'POST', headers, body: query })).text()
}

const answers = (): Promise<string> => ask("SELECT 'up'")

describe.each([
  ['an analyst', () => ({})],
  ['a builder', () => asBuilder],
] as const)('%s sends no forged state', (_who, headers) => {
  it.each([
    `SELECT bitmapToArray(CAST(${FORGED}, '${STATE}'))`,
    `SELECT bitmapToArray(${FORGED}::${STATE})`,
    `SELECT bitmapToArray(CAST(${FORGED} AS ${STATE}))`,
    `SELECT bitmapToArray(_CAST(${FORGED}, '${STATE}'))`,
    `SELECT bitmapToArray(accurateCast(${FORGED}, '${STATE}'))`,
    `SELECT bitmapToArray(accurateCastOrNull(${FORGED}, '${STATE}'))`,
    `SELECT bitmapToArray(accurateCastOrDefault(${FORGED}, '${STATE}'))`,
    `SELECT bitmapToArray(reinterpret(${FORGED}, '${STATE}'))`,
    `SELECT CAST((1, ${FORGED}), 'Tuple(UInt8, ${STATE})')`,
    `SELECT CAST(map('a', ${FORGED}), 'Map(String, ${STATE})')`,
    `SELECT CAST([${FORGED}], 'Array(${STATE})')`,
    `SELECT CAST(${FORGED}, 'Variant(UInt8, ${STATE})')`,
    `SELECT CAST(${FORGED}, 'Nullable( aggregatefunction (groupBitmap, UInt32))')`,
    `SELECT CAST(${FORGED}, '\`AggregateFunction\`(groupBitmap, UInt32)')`,
    `SELECT CAST('{}', 'JSON(a ${STATE})')`,
    `SELECT CAST(${FORGED}, 'SimpleAggregateFunction(anyLast, ${STATE})')`,
    `SELECT CAST(${FORGED}, concat('Aggregate', 'Function(groupBitmap, UInt32)'))`,
    `SELECT CAST(${FORGED}, {t:String})`,
    `SELECT CAST(${FORGED}, '${STATE.slice(0, 9)}' || '${STATE.slice(9)}')`,
    `WITH concat('Aggregate', 'Function(groupBitmap, UInt32)') AS t SELECT CAST(${FORGED}, t)`,
    `SELECT * APPLY (x -> CAST(x, concat('Aggregate', 'Function(groupBitmap, UInt32)'))) FROM (SELECT ${FORGED})`,
    `SELECT * APPLY CAST('${STATE}') FROM (SELECT ${FORGED})`,
    `SELECT * APPLY (CAST, '${STATE}') FROM (SELECT ${FORGED})`,
    `SELECT JSONExtract('{"a":"x"}', 'a', '${STATE}')`,
    `SELECT JSONExtractCaseInsensitive('{"a":"x"}', 'a', '${STATE}')`,
    `SELECT JSONExtractKeysAndValues('{"a":"x"}', '${STATE}')`,
    `SELECT JSONExtractKeysAndValuesCaseInsensitive('{"a":"x"}', '${STATE}')`,
    `SELECT defaultValueOfTypeName('${STATE}')`,
    `SELECT dynamicElement(CAST(1, 'Dynamic'), '${STATE}')`,
    `SELECT {p:${STATE}}`,
    `SELECT {p:Array(${STATE})}`,
    `SELECT * FROM values('s ${STATE}', ${FORGED})`,
    `SELECT * FROM values('s Array(${STATE})', [${FORGED}])`,
    `SELECT * FROM generateRandom('s ${STATE}') LIMIT 1`,
    `SELECT * FROM null('s ${STATE}')`,
    `SELECT * FROM format('RowBinary', 's ${STATE}', 'x')`,
    "SELECT arrayReduce(concat('groupBit', 'map'), [1])",
    'SELECT initializeAggregation({t:String}, 1)',
  ])('%s', async sql => {
    const parameters = `param_t=${encodeURIComponent(STATE)}&param_p=x`
    expect(await ask(sql, headers(), parameters)).toMatch(/\((?:ACCESS_DENIED|SYNTAX_ERROR)\)/)
  })

  it.each([
    `SELECT bitmapToArray(x) FROM (SELECT ${MADE} AS x UNION ALL SELECT ${FORGED})`,
    `SELECT bitmapToArray(x) FROM (SELECT ${FORGED} AS x UNION ALL SELECT ${MADE})`,
    `SELECT bitmapToArray(x) FROM (SELECT ${FORGED} AS x EXCEPT SELECT ${MADE})`,
    `SELECT bitmapToArray(if(number > 0, ${FORGED}, ${MADE})) FROM numbers(2)`,
    `SELECT bitmapToArray(multiIf(number > 0, ${FORGED}, ${MADE})) FROM numbers(2)`,
    `SELECT bitmapToArray([${MADE}, ${FORGED}][2])`,
    `SELECT bitmapToArray(map('a', ${MADE}, 'b', ${FORGED})['b'])`,
    `SELECT bitmapToArray(transform(${MADE}, [${MADE}], [${FORGED}], ${FORGED}))`,
    `SELECT ${MADE} IN (${FORGED})`,
  ])('a text beside a state stays a text: %s', async sql => {
    expect(await ask(sql, headers())).not.toContain('fatal error')
    expect(await answers()).toBe('up\n')
  })

  it('and the engine is the one that it was', async () => {
    expect({ deaths, answer: await answers() }).toEqual({ deaths: [], answer: 'up\n' })
  })
})

describe('a builder', () => {
  it.each([
    `INSERT INTO marts.states VALUES (1, ${FORGED})`,
    'INSERT INTO marts.states FORMAT RowBinary xx',
    'INSERT INTO marts.states (s) FORMAT TSV x',
    'INSERT INTO marts.maps FORMAT TSV x',
    `INSERT INTO marts.sums VALUES (1, length(finalizeAggregation(CAST(${FORGED}, '${STATE}'))))`,
    `INSERT INTO marts.sums VALUES (1, bitmapCardinality(${FORGED}::${STATE}))`,
    `INSERT INTO marts.sums VALUES (1, bitmapCardinality({p:${STATE}}))`,
  ])('sends no bytes for a column of states: %s', async sql => {
    expect(await ask(sql, asBuilder, 'param_p=x')).toContain('(ACCESS_DENIED)')
  })

  it('fills such columns by functions, and others by rows', async () => {
    const filled = 'INSERT INTO marts.states SELECT 1, groupBitmapState(toUInt32(number)) FROM numbers(3)'
    expect(await ask(filled, asBuilder)).toBe('')
    expect(await ask('INSERT INTO marts.sums VALUES (1, 2)', asBuilder)).toBe('')
    const read = 'SELECT bitmapToArray(s), (SELECT sum(s) FROM marts.sums) FROM marts.states'
    expect(await ask(read, asBuilder)).toBe('[0,1,2]\t2\n')
  })
})

it('types in the open are taken as before', async () => {
  const sql = `SELECT CAST('1', 'UInt8'), '2'::Decimal(10, 2), CAST('a', 'Enum8(\\'a\\' = 1)'), JSONExtract('{"a":[1]}', 'a', 'Array(UInt8)'),
    toTypeName(CAST('2020-01-01 00:00:00' AS DateTime64(3, 'UTC'))), accurateCastOrDefault('x', 'UInt8'), {n:UInt8},
    arrayReduce('quantile(0.5)', [1, 2, 3]), finalizeAggregation(initializeAggregation('sumState', 5)),
    CAST('{"a":1}', 'JSON(max_dynamic_paths = 8, a UInt32, SKIP b.c)').a`
  expect(await ask(sql, {}, 'param_n=3')).toBe("1\t2\ta\t[1]\tDateTime64(3, \\'UTC\\')\t0\t3\t2\t5\t1\n")
})

it('no function that reads nested text goes down without a bound', { timeout: 600_000 }, async () => {
  const nested = ([begin, inner, end]: [string, string, string], depth = 150_000): string =>
    `concat(repeat('${begin}', ${depth}), '${inner}', repeat('${end}', ${depth}))`
  const texts = [
    nested(['{"a":', '1', '}']),
    nested(['[', '', ']']),
    nested(['(', '1', ')']),
    nested(['<a>', '', '</a>']),
  ]
  const readers = FUNCTIONS.filter(name => /json|xml|html|query|wkt|merge|visit|flatten|wkb|pretty/i.test(name))
  expect(readers.length).toBeGreaterThan(100)
  const limits = 'max_execution_time=1&max_memory_usage=1000000000'
  for (const name of readers) {
    for (const text of texts) {
      for (const given of [text, `${text}, 'a'`, `'{}', ${text}`])
        await ask(`SELECT length(toString(${name}(${given})))`, {}, limits)
    }
    expect({ name, deaths, answer: await answers() }).toEqual({ name, deaths: [], answer: 'up\n' })
  }
  expect(await ask(`SELECT jsonMergePatch(${texts[0]}, '{}')`)).toContain('(ACCESS_DENIED)')
})

it('an engine that has crashed says so, ends, and is started again', async () => {
  // It never gets an answer: the thread that runs it has ended.
  const planted = ask(`SELECT bitmapToArray(CAST(${FORGED}, '${STATE}'))`, AS_WRITER).catch(() => '')
  await until(
    'the process has ended',
    () => deaths,
    all => all.length > 0,
  )
  expect(await planted).not.toMatch(/^\[/)
  expect(deaths).toEqual(['signal SIGKILL'])
  expect(readFileSync(join(folder, 'clickhouse.log'), 'utf8')).toContain('a query has crashed the engine')
  await until('it is back', answers, text => text === 'up\n')
  expect((await fetch(`${url}/ping`)).status).toBe(200)
})

it("an error that says what a crashed engine's do ends nothing", async () => {
  const before = deaths.length
  const words = 'Code: 236. DB::Exception: The server is shutting down due to a fatal error. (ABORTED)'
  expect(await ask(`SELECT throwIf(1, '${words}')`)).toContain('fatal error')
  expect(await answers()).toBe('up\n')
  expect(deaths.length).toBe(before)
})
