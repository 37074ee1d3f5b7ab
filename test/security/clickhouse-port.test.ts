import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHostCheck, createMetrics, startStatusServer } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '#clickhouse/access/passwords.js'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'

/** All analysts together: a quarter for one query, three quarters for one account. */
const MEMORY_MB = 600
const MB = 1_000_000

let folder: string
let running: Running
let log = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-port-'))
  const user = { role: 'analyst', password: await hashPassword(PASSWORD), limits: { max_concurrent_queries: 9 } }
  const users = JSON.stringify({ users: { ada: user, bea: user } })
  writeFileSync(join(folder, 'clickhouse-users.json'), users, { mode: 0o600 })
  running = await start(join(folder, 'clickhouse'), {
    DATA_DIR: folder,
    CLICKHOUSE_ANALYSTS_MEMORY_MB: String(MEMORY_MB),
    CLICKHOUSE_ALLOWED_ORIGINS: 'https://sql.example',
    ALLOWED_HOSTS: 'clickhouse.internal, .corp.example',
  })
  running.process.stdout?.on('data', chunk => {
    log += chunk
  })
  await asWriter('CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n')
})

afterAll(async () => {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

/** Sends exactly these headers: fetch would add its own, and refuse some. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: string | Buffer = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(running.url + path, { method, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const ask = (sql: string, parameters = ''): Promise<string> =>
  send('POST', `/?${parameters}`, {}, sql).then(({ text }) => text)

const WRITER = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }

async function asWriter(sql: string, parameters = ''): Promise<string> {
  return (await send('POST', `/?${parameters}`, WRITER, sql)).text
}

describe('a web page', () => {
  const query = `/?query=${encodeURIComponent("SELECT 'read'")}`
  const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', 'accept-language': 'de,en;q=0.5' }

  it.each([
    ['fetch of another origin', { origin: 'https://evil.example' }],
    ['another port of this machine', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
    ['a sandboxed frame or a file', { origin: 'null' }],
    ['a script or image tag', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a link', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-user': '?1' }],
    ['a browser that tells no site to plain HTTP', BROWSER],
    ['a page that is named by the referrer alone', { referer: 'http://evil.example/' }],
    ['a rebound host name', { host: 'evil.example' }],
    ['a rebound host name with the port', { host: 'evil.example:8123', origin: 'http://evil.example:8123' }],
    ['a name that only begins like ours', { host: 'localhost.evil.example' }],
    ['a name that only ends like an allowed one', { host: 'evilcorp.example' }],
  ])('is rejected: %s', async (_what, headers) => {
    for (const [method, path, body] of [
      ['GET', query, ''],
      ['HEAD', query, ''],
      ['POST', '/', "SELECT 'read'"],
      ['OPTIONS', '/', ''],
      ['GET', '/nothing', ''],
    ] as const) {
      const answer = await send(method, path, headers, body)
      expect([method, answer.status]).toEqual([method, 403])
      expect(answer.text).not.toMatch(/^read/)
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  it.each([
    ['a program', {}],
    ['a program that names itself', { 'user-agent': 'curl/8.0' }],
    ['the address bar', { ...BROWSER, 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['localhost', { host: 'localhost:8123' }],
    ['an address', { host: '192.0.2.7:8123' }],
    ['an address of IPv6', { host: '[2001:db8::1]:8123' }],
    ['a name that is allowed', { host: 'ClickHouse.internal.' }],
    ['a name under one that is allowed', { host: 'a.b.corp.example' }],
    ['a page of an allowed origin', { origin: 'https://sql.example', 'sec-fetch-site': 'cross-site' }],
  ])('is not: %s', async (_what, headers) => {
    expect(await send('GET', query, headers)).toMatchObject({ status: 200, text: 'read\n' })
  })

  it('of an allowed origin may ask first, and reads the answer', async () => {
    const origin = { origin: 'https://sql.example', 'access-control-request-headers': 'authorization' }
    const allowed = await send('OPTIONS', '/', origin)
    expect([allowed.status, allowed.headers['access-control-allow-headers']]).toEqual([204, 'authorization'])
    expect((await send('GET', query, origin)).headers['access-control-allow-origin']).toBe('https://sql.example')
  })

  it('gets nothing that a browser would run or embed, in whatever answer', async () => {
    for (const path of ['/ping', '/', query, '/nothing', '/?query=SELEC', '/?query=SELECT+1+FORMAT+JSON']) {
      expect((await send('GET', path)).headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      })
    }
  })

  it('leaves the checks of load balancers alone', async () => {
    expect(await send('GET', '/ping', { host: 'evil.example' })).toMatchObject({ status: 200, text: 'Ok.\n' })
  })
})

describe('a status port', () => {
  it('tells nothing under a name that is not its own, save whether the process lives', async () => {
    const metrics = createMetrics()
    const status = await startStatusServer(
      0,
      '127.0.0.1',
      metrics,
      () => [],
      createHostCheck(['status.internal'], 'this-machine.example'),
    )
    const get = (path: string, host: string) =>
      new Promise<number>((resolve, reject) => {
        const asked = request({ port: status.port, path, headers: { host }, agent: false }, response => {
          response.resume()
          resolve(response.statusCode!)
        })
        asked.on('error', reject).end()
      })
    try {
      for (const host of ['evil.example', 'evil.example:3001', 'localhost.evil.example', '127.0.0.1.evil.example'])
        expect([host, await get('/metrics', host)]).toEqual([host, 403])
      for (const host of [
        'localhost:3001',
        '127.0.0.1',
        '[::1]:3001',
        'this-machine',
        'this-machine.example',
        'Status.internal.',
      ])
        expect([host, await get('/metrics', host)]).toEqual([host, 200])
      for (const path of ['/healthz', '/readyz']) expect(await get(path, 'evil.example')).toBe(200)
    } finally {
      await status.close()
    }
  })
})

describe('a GET', () => {
  it.each([
    'SET max_threads = 1',
    'USE system',
    'CREATE TABLE x (n UInt8) ENGINE = Memory',
    'INSERT INTO t VALUES (1, 1)',
    "SELECT 1 INTO OUTFILE '/tmp/clickhouse-port-outfile'",
  ])('changes nothing, whoever sends it: %s', async sql => {
    for (const headers of [{}, WRITER])
      for (const method of ['GET', 'HEAD']) {
        const path = `/?session_id=get&query=${encodeURIComponent(sql)}`
        expect((await send(method, path, headers)).status).toBeGreaterThanOrEqual(400)
      }
  })

  it('of the writer is read-only to the engine as well', async () => {
    const read = `/?query=${encodeURIComponent("SELECT getSetting('readonly')")}`
    expect((await send('GET', read, WRITER)).text).toBe('1\n')
    expect(await asWriter("SELECT getSetting('readonly')")).toBe('0\n')
  })
})

describe('names of things that every object has', () => {
  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'are encodings and settings of none: %s',
    async name => {
      expect(await send('POST', '/', { 'content-encoding': name }, 'SELECT 1')).toMatchObject({ status: 501 })
      expect((await send('POST', '/', { 'accept-encoding': name }, 'SELECT 1')).text).toBe('1\n')
      for (const query of [`${name}=1`, `default_format=${name}`, `session_id=${name}&session_check=1`])
        expect(await ask('SELECT 1', query), query).toMatch(/^Code: /)
      expect(await ask(name)).toMatch(/^Code: /)
      expect(await ask(`SELECT {${name}:String}`, `param_${name}=x`)).toBe('x\n')
      expect(await ask('SELECT 1')).toBe('1\n')
    },
  )
})

describe('settings of an analyst', () => {
  const effective = async (name: string, value: string): Promise<number> =>
    Number(await ask(`SELECT toFloat64(getSetting('${name}'))`, `${name}=${encodeURIComponent(value)}`))

  it.each([
    '1e-9',
    '0',
    '0.0',
    '0.0001',
    '-1',
    ' 1',
    '+1',
    '0x1',
    '1_0',
    '1e99',
    'inf',
    'nan',
    '999999',
    '',
    '9'.repeat(30),
  ])('cannot remove the time limit: %j', async value => expect(await effective('max_execution_time', value)).toBe(60))

  it('take values within their bounds, and the bound for more', async () => {
    expect(await effective('max_execution_time', '5')).toBe(5)
    expect(await effective('max_threads', '1')).toBe(1)
    expect(await effective('max_threads', '100000')).toBeLessThanOrEqual(128)
    expect(await effective('max_threads', '0')).toBeGreaterThan(0)
    expect(await effective('max_block_size', '18446744073709551615')).toBe(655_360)
    expect(await effective('max_memory_usage', '18446744073709551615')).toBe((MEMORY_MB * MB) / 4)
    for (const value of ['1e9', '-1', 'x', '0x10'])
      expect(await ask('SELECT 1', `max_threads=${value}`)).toContain('Code: 72')
  })

  it.each([
    'max_memory_usage_for_user=0',
    'max_execution_time_leaf=0',
    'timeout_overflow_mode=break',
    'readonly=0',
    'profile=x',
    'max_bytes_before_external_group_by=1',
    'format_schema=x',
    'allow_introspection_functions=1',
    'mutations_sync=2',
    'max_temporary_data_on_disk_size_for_user=0',
    'no_such_setting=1',
  ])('are those of a list: %s is not', async setting => {
    const text = await ask('SELECT 1', setting)
    // What is in effect for a builder's statements only is left out, anything else rejected.
    if (setting.startsWith('mutations_sync')) expect(text).toBe('1\n')
    else expect(text).toContain('(READONLY)')
  })

  it.each([
    // clickhouse-connect, the JDBC driver, @clickhouse/client, Grafana
    'send_progress_in_http_headers=1&cancel_http_readonly_queries_on_client_close=1&wait_end_of_query=1&session_timeout=30',
    'compress=0&extremes=0&max_result_rows=0&result_overflow_mode=break&readonly=1&log_comment=a',
    'date_time_input_format=best_effort&output_format_json_quote_64bit_integers=1&allow_experimental_object_type=1',
    'max_execution_time=60&http_write_exception_in_output_format=0&async_insert=0&join_use_nulls=1&session_timezone=UTC',
    'connect_timeout=10&enable_http_compression=1&buffer_size=65536&client_protocol_version=54460',
  ])('that clients send are taken: %s', async settings => {
    expect(await ask('SELECT 1', settings)).toBe('1\n')
  })
})

describe('a request of 1 MB', () => {
  const parameters = (count: number): string => Array.from({ length: count }, (_, i) => `param_p${i}=x`).join('&')

  /** The longest time that the server didn't answer a ping, in milliseconds, while it does this. */
  async function longestSilence(work: Promise<unknown>): Promise<number> {
    let done = false
    let longest = 0
    const watching = (async () => {
      while (!done) {
        const begun = performance.now()
        await send('GET', '/ping')
        longest = Math.max(longest, performance.now() - begun)
      }
    })()
    await work
    done = true
    await watching
    return longest
  }

  function form(count: number, size = 1): { body: Buffer; type: string } {
    const field = (i: number) =>
      `--b\r\nContent-Disposition: form-data; name="param_p${i}"\r\n\r\n${'x'.repeat(size)}\r\n`
    const body = `${Array.from({ length: count }, (_, i) => field(i)).join('')}--b--\r\n`
    return { body: Buffer.from(body), type: 'multipart/form-data; boundary=b' }
  }

  it('with 9,000 parameters is rejected, and stops nothing meanwhile', async () => {
    const { body, type } = form(9_000)
    const query = `/?query=${encodeURIComponent(`SELECT ${'{p1:String},'.repeat(2_000)} 1`)}`
    let text = ''
    const silence = await longestSilence(
      send('POST', query, { 'content-type': type }, body).then(answer => {
        text = answer.text
      }),
    )
    expect(text).toContain('(QUERY_IS_TOO_LARGE)')
    // Blocked for a minute, before. A bound that no busy machine comes near, not a measurement.
    expect(silence).toBeLessThan(20_000)
  })

  it('may have what there is room for: 1,000 parameters, all used', async () => {
    const { body, type } = form(1_000)
    const sum = Array.from({ length: 1_000 }, (_, i) => `{p${i}:String}`).join(', ')
    const answer = await send(
      'POST',
      `/?query=${encodeURIComponent(`SELECT length([${sum}])`)}`,
      { 'content-type': type },
      body,
    )
    expect(answer.text).toBe('1000\n')
  })

  it.each([
    ['parameters in the URL', () => send('POST', `/?${parameters(1_001)}`, {}, 'SELECT 1')],
    [
      'settings',
      () =>
        send('POST', `/?${parameters(0)}${Array.from({ length: 201 }, (_, i) => `&s${i}=1`).join('')}`, {}, 'SELECT 1'),
    ],
    ['bytes of settings', () => send('POST', `/?bool_true_representation=${'x'.repeat(70_000)}`, {}, 'SELECT 1')],
    ['a statement', () => send('POST', '/', {}, `SELECT ${'1,'.repeat(200_000)}1`)],
  ])('is rejected for %s', async (_what, sent) => {
    expect(await sent()).toMatchObject({ status: 413, text: expect.stringContaining('(QUERY_IS_TOO_LARGE)') })
  })

  it.each([
    ['brackets', `SELECT ${'('.repeat(120_000)}`],
    ['quotes', `SELECT '${"\\'".repeat(120_000)}`],
    ['comments', `SELECT ${'/*'.repeat(120_000)}`],
    ['placeholders', `SELECT ${'{a:String},'.repeat(20_000)}1`],
    ['words', `SELECT ${'FORMAT '.repeat(35_000)}`],
    ['settings', `SET ${'a=1,'.repeat(60_000)}b=1`],
  ])('of %s is read in a time that grows no faster than it does', async (_what, sql) => {
    const silence = await longestSilence(send('POST', '/?session_id=long&param_a=x', {}, sql))
    expect(silence).toBeLessThan(20_000)
  })
})

describe('memory', () => {
  it('of all analysts together stays within its bound: what has no room waits', async () => {
    const sql = 'SELECT sleep(1) FORMAT Null'
    // The engine's own reading of a statement is among the processes, too, and has no bound of memory of its own.
    const peak = async (): Promise<number> => {
      const answer = await asWriter(
        "SELECT sum(toUInt64OrZero(Settings['max_memory_usage'])) FROM system.processes WHERE query LIKE '%sleep(1)%' AND query NOT LIKE '%processes%'",
      )
      expect(answer).toMatch(/^\d+\n$/)
      return Number(answer)
    }
    const most = async (users: string[]): Promise<number> => {
      let most = 0
      let left = users.length
      const all = users.map(user =>
        send('POST', '/', { 'x-clickhouse-user': user, 'x-clickhouse-key': PASSWORD }, sql).then(({ text }) => {
          left--
          return text
        }),
      )
      while (left > 0) most = Math.max(most, await peak())
      expect(await Promise.all(all)).toEqual(users.map(() => ''))
      return most
    }
    const both = await most(['ada', 'bea', 'ada', 'bea', 'ada', 'bea'])
    expect(both).toBeGreaterThan(0)
    expect(both).toBeLessThanOrEqual(MEMORY_MB * MB)
    // One alone leaves some for the others.
    expect(await most(['ada', 'ada', 'ada', 'ada', 'ada'])).toBeLessThan(MEMORY_MB * MB)
  })

  it('of the writer is none of theirs', async () => {
    const waiting = Array.from({ length: 12 }, () => ask('SELECT sleep(1) FORMAT Null'))
    let analysts = 12
    for (const one of waiting) void one.then(() => analysts--)
    expect(await asWriter('SELECT 1')).toBe('1\n')
    expect(analysts).toBeGreaterThan(0)
    await Promise.all(waiting)
  })
})

describe('sessions', () => {
  it('of one user leave room for those of others, however many and long they are', async () => {
    const open = (id: number) => ask('SET max_threads = 1', `session_id=hold${id}&session_timeout=3600`)
    const answers: string[] = []
    for (let id = 0; id < 110; id += 10)
      answers.push(...(await Promise.all(Array.from({ length: 10 }, (_, i) => open(id + i)))))
    expect(answers.filter(text => text.includes('Too many sessions')).length).toBeGreaterThanOrEqual(10)
    expect(await asWriter('SELECT 1', 'session_id=writer')).toBe('1\n')
    expect(await asWriter('CREATE TEMPORARY TABLE mine (n UInt8)', 'session_id=writer')).toBe('')
    // Closed with the next query of each, for the tests that follow.
    for (let id = 0; id < 110; id++) await ask('SELECT 1', `session_id=hold${id}&close_session=1`)
  })

  it('are not of others who know the id', async () => {
    await asWriter('SET max_threads = 3', 'session_id=writer2')
    expect(await asWriter("SELECT getSetting('max_threads')", 'session_id=writer2')).toBe('3\n')
    expect(await ask('SELECT 1', 'session_id=writer2&session_check=1')).toContain('(SESSION_NOT_FOUND)')
  })
})

describe('the log', () => {
  it('has the shape of what failed, and nothing that a statement or a row says', async () => {
    await asWriter("INSERT INTO t VALUES (1, 'row-secret-1')")
    const failing = [
      "SELECT toUInt8(s) FROM t WHERE s != 'literal-secret-2'",
      "SELECT throwIf(1, 'literal-secret-3')",
      'SELECT "quoted-secret-4" FROM t',
      'SELECT 1 -- comment-secret-5\n FROM nowhere WHERE a = 4711222',
      "SELEC 'syntax-secret-6'",
      "SELECT 'it's bare_secret_7' , 'x's y'",
      "SELECT * FROM file('/path-secret-8')",
      'SELECT {p:UInt8} FROM nowhere',
    ]
    for (const sql of failing)
      expect(await ask(sql, 'param_p=parameter-secret-9&query_id=id%20secret%2010')).toMatch(/^Code: /)
    expect(await asWriter('INSERT INTO t FORMAT JSONEachRow {"n":"inserted-secret-11"}')).toMatch(/^Code: /)
    expect(await asWriter("INSERT INTO t VALUES ('inserted-secret-12', 1)")).toMatch(/^Code: /)
    await send('POST', '/', { 'x-clickhouse-user': 'ada', 'x-clickhouse-key': 'password-secret-13' }, 'SELECT 1')
    await send('POST', '/', { 'content-encoding': 'secret-14' }, 'SELECT 1')
    await expect.poll(() => log).toContain('FROM nowhere WHERE a = ?')
    expect(log).toContain('toUInt8(s) FROM t WHERE s != ?')
    expect(log).not.toMatch(/secret|4711222/)
    // What was rejected tells the client why, as ever.
    expect(await ask(failing[0]!)).toContain('row-secret-1')
  })

  it('counts what would fill it', async () => {
    const before = log.length
    await Promise.all(Array.from({ length: 200 }, () => ask('SELECT nothing')))
    await new Promise(resolve => setTimeout(resolve, 1_100))
    await ask('SELECT nothing')
    await expect.poll(() => log.slice(before)).toContain('more queries failed')
  })
})
