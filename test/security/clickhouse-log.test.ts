import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hashPassword } from '#clickhouse/access/passwords.js'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'
import { until } from '../support/until.js'

// The query log is for all users, but rows of others are for none: the engine's own policy hides them.

let folder: string
let running: Running

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-log-'))
  const password = await hashPassword(PASSWORD)
  const users = {
    ada: { role: 'analyst', password },
    bea: { role: 'analyst', password },
    cid: { role: 'analyst', password },
    bob: { role: 'builder', password, databases: ['built'] },
  }
  writeFileSync(join(folder, 'clickhouse-users.json'), JSON.stringify({ users }), { mode: 0o600 })
  running = await start(join(folder, 'clickhouse'), { DATA_DIR: folder })
  await Promise.all([as('ada', "SELECT 'secret of ada', 17"), as('bea', "SELECT 'secret of bea', 18, 19 + 1")])
  await as('bob', 'SELECT 20 + 20 + 20', 'session_id=s')
  await as('ada', "SELECT throwIf(number = 3, 'secret') FROM numbers(5)")
  await as('cid', "SELECT 'secret', url FROM url('http://secret.example', CSV) WHERE a IN (1, 2)")
  await as('cid', "SELECT 'secret of cid")
  await until(
    'all queries in the log',
    () => as('slotstream', `SELECT count() FROM ${LOG}`),
    text => Number(text) >= 6,
  )
})

afterAll(async () => {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

const LOG = 'slotstream_log.query_log'

async function as(user: string, sql: string, parameters = ''): Promise<string> {
  const headers = { 'x-clickhouse-user': user, 'x-clickhouse-key': PASSWORD }
  const response = await fetch(`${running.url}/?${parameters}`, { method: 'POST', body: sql, headers })
  return response.text()
}

const USERS = `SELECT arraySort(groupUniqArray(user)) FROM ${LOG}`

it('holds shapes without literals, and how queries ended', async () => {
  const rows = await as(
    'slotstream',
    `SELECT user, query, exception_code FROM ${LOG} WHERE user IN ('ada', 'bea') ORDER BY ALL`,
  )
  expect(rows.split('\n').slice(0, 3)).toEqual([
    'ada\tSELECT ?..\t0',
    'ada\tSELECT throwIf(number = ?..) FROM numbers(?)\t395',
    'bea\tSELECT ?.. + ?\t0',
  ])
  expect(await as('slotstream', `SELECT * FROM ${LOG}`)).not.toContain('secret')
})

it('holds the shapes of rejected statements, and a marker for what is none', async () => {
  const rows = await as('slotstream', `SELECT query, exception_code, type FROM ${LOG} WHERE user = 'cid' ORDER BY ALL`)
  expect(rows.split('\n').slice(0, 2)).toEqual([
    '<unreadable>\t62\tExceptionBeforeStart',
    'SELECT ?, url FROM url(?, CSV) WHERE a IN (?..)\t497\tExceptionBeforeStart',
  ])
})

it('shows all rows to the user slotstream, and to others their own', async () => {
  expect(await as('slotstream', USERS)).toBe("['ada','bea','bob','cid']\n")
  for (const user of ['ada', 'bea', 'bob']) expect(await as(user, USERS)).toBe(`['${user}']\n`)
  expect(await as('bob', USERS, 'session_id=s')).toBe("['bob']\n")
})

it.each([
  ['SELECT arraySort(groupUniqArray(user)) FROM query_log', 'database=slotstream_log'],
  ["SELECT arraySort(groupUniqArray(user)) FROM merge('slotstream_log', '.*')", ''],
  ['SELECT arraySort(groupUniqArray(user)) FROM {d:Identifier}.query_log', 'param_d=slotstream_log'],
  ['SELECT arraySort(groupUniqArray(user)) FROM {t:Identifier}', 'param_t=slotstream_log.query_log'],
  ['SELECT arraySort(groupUniqArray(user)) FROM `slotstream\\x5flog`.query_log', ''],
  [`WITH x AS (SELECT * FROM ${LOG}) SELECT arraySort(groupUniqArray(user)) FROM x`, ''],
  [`SELECT arraySort(groupUniqArray(user)) FROM view(SELECT * FROM ${LOG})`, ''],
  [`SELECT arraySort(groupUniqArray(user)) FROM ${LOG} SETTINGS log_comment = 'x reads for *'`, ''],
  [`SELECT arraySort(groupUniqArray(user)) FROM ${LOG}`, 'log_comment=x+reads+for+*'],
])('shows no rows of others, however they are asked for: %s', async (sql, parameters) => {
  for (const user of ['ada', 'bea']) {
    const answer = await as(user, sql, parameters)
    if (!answer.startsWith('Code:')) expect([`['${user}']\n`, '[]\n']).toContain(answer)
  }
})

it('gives a view that refreshes by itself nothing, and is written by no user', async () => {
  expect(await as('bob', 'CREATE DATABASE built')).toBe('')
  const view = `CREATE MATERIALIZED VIEW built.v REFRESH EVERY 1 HOUR ENGINE = MergeTree ORDER BY event_time AS SELECT event_time, user FROM ${LOG}`
  expect(await as('bob', view)).toBe('')
  const status = "SELECT last_success_time IS NOT NULL FROM system.view_refreshes WHERE view = 'v'"
  await until(
    'the first refresh',
    () => as('bob', status),
    text => text === '1\n',
  )
  expect(await as('bob', 'SELECT count() FROM built.v')).toBe('0\n')
  expect(await as('bob', `CREATE VIEW built.w AS SELECT * FROM ${LOG}`)).toBe('')
  expect(await as('bob', 'SELECT groupUniqArray(user) FROM built.w')).toBe('[]\n')
  for (const sql of [`TRUNCATE TABLE ${LOG}`, `INSERT INTO ${LOG} (user) VALUES ('ada')`, `DROP TABLE ${LOG}`])
    for (const user of ['ada', 'bob']) expect(await as(user, sql)).toMatch(/\((?:READONLY|ACCESS_DENIED)\)/)
})

it('keeps rows for seven days', async () => {
  const ddl = await as('slotstream', `SHOW CREATE TABLE ${LOG} FORMAT TSVRaw`)
  expect(ddl).toMatch(/TTL event_date \+ toIntervalDay\(7\)/)
})
