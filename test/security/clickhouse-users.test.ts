import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'

const COMMAND = fileURLToPath(new URL('../../clickhouse/dist/users/main.js', import.meta.url))

/** An address of this machine that isn't loopback: what a client elsewhere would connect to, and come from. */
const REMOTE = Object.values(networkInterfaces())
  .flatMap(addresses => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

let folder: string
let file: string
let running: Running
let remoteUrl: string
let ada: Record<string, string>
let bea: Record<string, string>
let leo: Record<string, string>

const keyed = (user: string, password: string) => ({ 'x-clickhouse-user': user, 'x-clickhouse-key': password })

async function users(...words: string[]): Promise<string> {
  const env = { ...process.env, DATA_DIR: folder, CLICKHOUSE_DATA_DIR: join(folder, 'clickhouse') }
  return (await promisify(execFile)(process.execPath, [COMMAND, ...words], { env })).stdout
}

async function addUser(name: string, ...words: string[]): Promise<Record<string, string>> {
  const printed = await users('add', name, ...words)
  return keyed(name, /password \(shown this once\): (\S+)/.exec(printed)![1]!)
}

async function ask(sql: string, headers: Record<string, string> = {}, path = '/', url = running.url): Promise<string> {
  return (await fetch(url + path, { method: 'POST', headers, body: sql })).text()
}

/** Writes limits of a user into the file. */
function limit(name: string, limits: Record<string, number>): void {
  const stored = JSON.parse(readFileSync(file, 'utf8'))
  stored.users[name].limits = limits
  writeFileSync(file, JSON.stringify(stored))
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-users-'))
  file = join(folder, 'clickhouse-users.json')
  ada = await addUser('ada')
  bea = await addUser('bea', '--role', 'builder', '--databases', 'marts,staging')
  leo = await addUser('leo')
  limit('leo', { max_execution_time: 2 })
  running = await start(join(folder, 'clickhouse'), { DATA_DIR: folder, CLICKHOUSE_HOST: '0.0.0.0' })
  running.url = running.url.replace('0.0.0.0', '127.0.0.1')
  remoteUrl = running.url.replace('127.0.0.1', REMOTE ?? '127.0.0.1')
  await ask('CREATE DATABASE slotstream', keyed('slotstream', PASSWORD))
  await ask('CREATE TABLE slotstream.t (n UInt64) ENGINE = MergeTree ORDER BY n', keyed('slotstream', PASSWORD))
})

afterAll(async () => {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

describe('without a password', () => {
  const nameless: [string, Record<string, string>, string][] = [
    ['no user', {}, '/'],
    ['default', { 'x-clickhouse-user': 'default' }, '/'],
    ['default with an empty password', { authorization: `Basic ${btoa('default:')}` }, '/'],
    ['default in the URL', {}, '/?user=default&password='],
  ]

  it.each(nameless)('a program of this machine reads: %s', async (_what, headers, path) => {
    expect(await ask('SELECT 1', headers, path)).toBe('1\n')
  })

  it.runIf(REMOTE).each(nameless)('one from elsewhere does not: %s', async (_what, headers, path) => {
    const response = await fetch(remoteUrl + path, { method: 'POST', headers, body: 'SELECT 1' })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')])
    expect(await response.text()).toMatch(/^Code: 516\..*\(AUTHENTICATION_FAILED\)/s)
  })

  it.each(['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'])(
    'one behind a proxy of this machine does not: %s',
    async name => {
      expect(await ask('SELECT 1', { [name]: '203.0.113.7' })).toContain('(AUTHENTICATION_FAILED)')
      expect(await ask('SELECT 1', { [name]: '127.0.0.1', ...ada })).toBe('1\n')
    },
  )

  it('nobody has a role that needs one', async () => {
    for (const headers of [
      keyed('slotstream', ''),
      keyed('bea', ''),
      keyed('ada', ''),
      keyed('default', 'x'),
      keyed('bea', 'null'),
      keyed('slotstream', 'null'),
    ])
      expect(await ask('SELECT 1', headers)).toContain('(AUTHENTICATION_FAILED)')
    // JDBC drivers send the word where no password was given.
    const withoutPassword = keyed('default', 'null')
    expect(await ask('SELECT 1', withoutPassword)).toBe('1\n')
    expect(await ask('SELECT 1', withoutPassword, '/', remoteUrl)).toContain('(AUTHENTICATION_FAILED)')
  })
})

describe('a named user', () => {
  it('logs in by its password, from wherever, in all three places', async () => {
    const password = ada['x-clickhouse-key']!
    for (const url of [running.url, remoteUrl]) {
      expect(await ask('SELECT 1', ada, '/', url)).toBe('1\n')
      expect(await ask('SELECT 1', { authorization: `Basic ${btoa(`ada:${password}`)}` }, '/', url)).toBe('1\n')
      expect(await ask('SELECT 1', {}, `/?user=ada&password=${password}`, url)).toBe('1\n')
    }
  })

  it('that is an analyst reads, and no more', async () => {
    expect(await ask('SELECT count() FROM slotstream.t', ada)).toBe('0\n')
    for (const sql of ['INSERT INTO slotstream.t VALUES (1)', 'CREATE DATABASE marts', 'DROP TABLE slotstream.t'])
      expect(await ask(sql, ada)).toMatch(/READONLY|ACCESS_DENIED/)
  })

  it('that is a builder builds in databases of its own, and reads ours', async () => {
    for (const sql of [
      'CREATE DATABASE IF NOT EXISTS marts',
      'CREATE TABLE marts.days (n UInt64) ENGINE = MergeTree ORDER BY n',
      'INSERT INTO marts.days SELECT n FROM slotstream.t',
      'INSERT INTO marts.days VALUES (1), (2)',
      'ALTER TABLE marts.days ADD COLUMN s String',
      'CREATE VIEW marts.v AS SELECT count() AS c FROM slotstream.t',
    ])
      expect(await ask(sql, bea)).toBe('')
    expect(await ask('SELECT count() FROM marts.days', bea)).toBe('2\n')
    expect(await ask('SELECT c FROM marts.v', ada)).toBe('0\n')
    expect(await ask('CREATE TEMPORARY TABLE mine AS SELECT 1 AS x', bea, '/?session_id=b')).toBe('')
    expect(await ask('SELECT x FROM mine', bea, '/?session_id=b')).toBe('1\n')
  })

  it.each([
    'INSERT INTO slotstream.t VALUES (1)',
    'CREATE TABLE slotstream.mine (n UInt8) ENGINE = Memory',
    'DROP TABLE slotstream.t',
    'DROP DATABASE slotstream',
    'CREATE DATABASE others',
    'ALTER TABLE slotstream.t DELETE WHERE 1',
    'TRUNCATE TABLE slotstream.t',
    'RENAME TABLE slotstream.t TO marts.t',
    'KILL QUERY WHERE 1',
    'SYSTEM FLUSH LOGS',
    "SELECT file('/etc/passwd')",
    "INSERT INTO marts.days SELECT toUInt64(file('/etc/passwd'))",
    'CREATE MATERIALIZED VIEW marts.m TO marts.days AS SELECT throwIf(1) AS n FROM slotstream.t',
  ])('that is a builder does not: %s', async sql => {
    expect(await ask(sql, bea)).toMatch(/READONLY|ACCESS_DENIED/)
    expect(await ask('SELECT count() FROM slotstream.t', ada)).toBe('0\n')
  })

  it('that is a builder writes by POST alone', async () => {
    const response = await fetch(`${running.url}/?query=${encodeURIComponent('DROP TABLE marts.days')}`, {
      headers: bea,
    })
    expect(await response.text()).toContain('(READONLY)')
  })

  it('has limits of its own', async () => {
    limit('ada', { max_execution_time: 7, max_result_rows: 5, max_concurrent_queries: 1 })
    const time = () => ask("SELECT getSetting('max_execution_time')", ada, '/?max_execution_time=600')
    await expect.poll(time, { timeout: 10_000 }).toBe('7\n')
    expect(await ask("SELECT getSetting('max_execution_time')", bea, '/?max_execution_time=6000')).toBe('600\n')
    expect(await ask('SELECT number FROM numbers(20000)', ada)).toContain('(TOO_MANY_ROWS_OR_BYTES)')
    const watch =
      "SELECT count() FROM system.processes WHERE query LIKE '%sleep(0.7)%' AND query NOT LIKE '%processes%'"
    const both = [1, 2].map(() => ask('SELECT sleep(0.7) FORMAT Null', ada))
    let ended = 0
    for (const one of both) void one.then(() => ended++)
    while (ended < 2) expect(Number(await ask(watch, keyed('slotstream', PASSWORD)))).toBeLessThanOrEqual(1)
  })

  it('that reads nothing of its result keeps its place for no longer than its time limit', async () => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1')
    const sql = "SELECT repeat('never read', 1000) FROM numbers(100000)"
    const lines = Object.entries({ Host: 'localhost', 'Content-Length': String(sql.length), ...leo })
    socket.write(`POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${sql}`)
    socket.pause()
    const watch =
      "SELECT count() FROM system.processes WHERE query LIKE '%never read%' AND query NOT LIKE '%processes%'"
    const count = () => ask(watch, keyed('slotstream', PASSWORD))
    await expect.poll(count, { timeout: 20_000 }).toBe('1\n')
    await expect.poll(count, { timeout: 60_000 }).toBe('0\n')
    socket.destroy()
  })

  it('keeps its sessions to itself', async () => {
    expect(await ask('SET max_threads = 1', ada, '/?session_id=s')).toBe('')
    for (const other of [bea, {}, keyed('slotstream', PASSWORD)])
      expect(await ask('SELECT 1', other, '/?session_id=s&session_check=1')).toContain('(SESSION_NOT_FOUND)')
    expect(await ask("SELECT getSetting('max_threads')", ada, '/?session_id=s&session_check=1')).toBe('1\n')
  })
})

describe('the users file', () => {
  it('holds hashes with salts of their own, readable by its owner alone', async () => {
    const text = readFileSync(file, 'utf8')
    for (const { 'x-clickhouse-key': password } of [ada, bea]) expect(text).not.toContain(password)
    const hashes = Object.values<{ password: string }>(JSON.parse(text).users).map(({ password }) => password)
    expect(new Set(hashes.map(hash => hash.split('$')[4])).size).toBe(hashes.length)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is read again when it changes: who is added, gets another password, or is removed', async () => {
    const eve = await addUser('eve')
    await expect.poll(() => ask('SELECT 1', eve), { timeout: 10_000, interval: 1_100 }).toBe('1\n')
    const printed = await users('password', 'eve')
    const renewed = keyed('eve', /: (\S+)\n$/.exec(printed)![1]!)
    await expect.poll(() => ask('SELECT 1', renewed), { timeout: 10_000, interval: 1_100 }).toBe('1\n')
    expect(await ask('SELECT 1', eve)).toContain('(AUTHENTICATION_FAILED)')
    await users('remove', 'eve')
    await expect.poll(() => ask('SELECT 1', renewed), { timeout: 10_000, interval: 1_100 }).toContain('Code: 516')
  })

  it('that is broken, or that others may read, changes nothing', async () => {
    const good = readFileSync(file, 'utf8')
    for (const [text, mode] of [
      ['{"users": {"mallory": {"role": "writer"}}}', 0o600],
      [good.replace('"ada"', '"zoe"'), 0o644],
    ] as const) {
      writeFileSync(file, text)
      chmodSync(file, mode)
      await new Promise(resolve => setTimeout(resolve, 1_100))
      expect(await ask('SELECT 1', ada)).toBe('1\n')
    }
    writeFileSync(file, good)
    chmodSync(file, 0o600)
  })

  it.each([
    ['writer of ours', { slotstream: { role: 'analyst' } }],
    ['role', { a: { role: 'writer' } }],
    ['password', { a: { role: 'analyst', password: 'plain' } }],
    ['database', { a: { role: 'builder', databases: ['Slotstream'] } }],
    ['limit', { a: { role: 'analyst', limits: { max_everything: 1 } } }],
    ['field', { a: { role: 'analyst', admin: true } }],
  ])('keeps the server from starting with a wrong %s, and says which', async (_what, wrong) => {
    const other = mkdtempSync(join(folder, 'other-'))
    const hash = JSON.parse(readFileSync(file, 'utf8')).users.ada.password
    const users = Object.fromEntries(Object.entries(wrong).map(([name, user]) => [name, { password: hash, ...user }]))
    writeFileSync(join(other, 'clickhouse-users.json'), JSON.stringify({ users }), { mode: 0o600 })
    await expect(start(join(other, 'data'), { DATA_DIR: other })).rejects.toThrow(
      /exit code 1:.*CLICKHOUSE_USERS_FILE .* can't be used: user \\"(?:a|slotstream)\\"/s,
    )
  })

  it('is rejected by the command what the server would refuse', async () => {
    for (const words of [
      ['add', 'default'],
      ['add', 'a b'],
      ['add', 'x', '--role', 'writer'],
      ['add', 'x', '--role', 'builder'],
      ['add', 'x', '--role', 'builder', '--databases', 'system'],
      ['add', 'x', '--admin', '1'],
    ])
      await expect(users(...words)).rejects.toMatchObject({ code: 2 })
    await expect(users('add', 'ada')).rejects.toMatchObject({ code: 1 })
    await expect(users('remove', 'nobody')).rejects.toMatchObject({ code: 1 })
  })
})

describe('guessing', () => {
  it('is slowed by address, and keeps nobody out who has logged in or is elsewhere', async () => {
    expect(await ask('SELECT 1', ada)).toBe('1\n')
    const guess = (password: string) =>
      fetch(running.url, { method: 'POST', headers: keyed('bea', password), body: 'SELECT 1' })
    const statuses: number[] = []
    for (let i = 0; i < 9; i++) statuses.push((await guess(`guess ${i}`)).status)
    expect(statuses).toContain(429)
    expect((await guess('again')).headers.get('retry-after')).toMatch(/^\d+$/)
    // The right password of a user who isn't known from here has to wait as well, or guesses would be answered.
    expect(await ask('SELECT 1', ada)).toBe('1\n')
    expect(await ask('SELECT 1', keyed('slotstream', PASSWORD))).toBe('1\n')
    expect(await ask('SELECT 1')).toBe('1\n')
    if (REMOTE) expect(await ask('SELECT 1', bea, '/', remoteUrl)).toBe('1\n')
  })
})
