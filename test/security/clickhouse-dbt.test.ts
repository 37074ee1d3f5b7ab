import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'

/** dbt-core 1.10 with dbt-clickhouse 1.10, from `pip install dbt-core~=1.10.0 dbt-clickhouse~=1.10.0`; DBT names it. */
const DBT = process.env.DBT || 'dbt'
const installed = spawnSync(DBT, ['--version'], { encoding: 'utf8' }).stdout?.includes('clickhouse') ?? false
if (!installed) console.warn('dbt with dbt-clickhouse is not on PATH, nor named by DBT: its test is skipped')

const COMMAND = fileURLToPath(new URL('../../clickhouse/dist/users/main.js', import.meta.url))
const PROJECT = fileURLToPath(new URL('../fixtures/dbt', import.meta.url))

const run = promisify(execFile)

describe.runIf(installed)('dbt as a builder', () => {
  let folder: string
  let running: Running
  let password: string

  async function ask(sql: string, headers: Record<string, string> = {}): Promise<string> {
    const text = await (await fetch(running.url, { method: 'POST', headers, body: sql })).text()
    if (/^Code: \d/.test(text)) throw new Error(text)
    return text
  }
  const asWriter = (sql: string) => ask(sql, { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD })

  async function dbt(...words: string[]): Promise<string> {
    const env = {
      ...process.env,
      DBT_PORT: new URL(running.url).port,
      DBT_USER: 'bea',
      DBT_PASSWORD: password,
      DBT_PROFILES_DIR: join(folder, 'project'),
    }
    const done = run(DBT, words, { cwd: join(folder, 'project'), env })
    return (await done.catch(error => Promise.reject(new Error(`${error.stdout}\n${error.stderr}`)))).stdout
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clickhouse-dbt-'))
    cpSync(PROJECT, join(folder, 'project'), { recursive: true })
    const env = { ...process.env, DATA_DIR: folder }
    const added = await run(process.execPath, [COMMAND, 'add', 'bea', '--role', 'builder', '--databases', 'marts'], {
      env,
    })
    password = /: (\S+)\n$/.exec(added.stdout)![1]!
    running = await start(join(folder, 'clickhouse'), { DATA_DIR: folder })
    await asWriter('CREATE DATABASE slotstream')
    await asWriter(
      'CREATE TABLE slotstream.events (anonymous_id String, event String, timestamp DateTime64(3)) ENGINE = MergeTree ORDER BY timestamp',
    )
    await asWriter(
      "INSERT INTO slotstream.events SELECT toString(number % 10), 'Product Viewed', toDateTime64('2026-01-01', 3) + number * 3600 FROM numbers(100)",
    )
  })

  afterAll(async () => {
    await stopAll()
    rmSync(folder, { recursive: true, force: true })
  })

  it('connects, builds twice (view, table, incremental, seed, snapshot, tests) and describes', {
    timeout: 600_000,
  }, async () => {
    expect(await dbt('debug')).toContain('All checks passed!')
    expect(await dbt('build')).toMatch(/PASS=\d+ WARN=0 ERROR=0 SKIP=0/)
    expect(await ask('SELECT sum(events) FROM marts.daily')).toBe('100\n')
    await asWriter("INSERT INTO slotstream.events VALUES ('new', 'Order Completed', '2026-02-01 00:00:00')")
    expect(await dbt('build')).toMatch(/PASS=\d+ WARN=0 ERROR=0 SKIP=0/)
    expect(await ask('SELECT count(), uniqExact(anonymous_id) FROM marts.visitors')).toBe('11\t11\n')
    expect(await ask('SELECT uniqExact(anonymous_id) FROM marts.seen')).toBe('11\n')
    await dbt('docs', 'generate')
  })
})
