import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const pathTo = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const PROGRAM = pathTo('../../cli/dist/replay/main.js')
const EVALUATE = pathTo('../../cli/dist/evaluate/main.js')
const REAL = process.env.OPEN_BANDIT_DIR || pathTo('../../../shared/data/open-bandit')
/** The real log where there is one; otherwise a small one in the same format. */
const FOLDER = existsSync(REAL) ? REAL : pathTo('../fixtures/open-bandit')

interface LoggedRow {
  content_id: string
  position: number
  clicked: boolean
  propensity: number
  time: number
}

let system: System
const log = readLog()

beforeAll(async () => {
  system = await startSystem()
  await system.admin('PUT', '/sites/settled', { writeKeys: ['settled'] })
})

afterAll(async () => {
  await system?.stop()
})

describe('a replay of the Open Bandit log', () => {
  it('brings exactly what the file has, at its original times', async () => {
    const { code, output } = await replay(system.collectorUrl, 'open-bandit')
    expect(code, output).toBe(0)
    await expectLogOf('open-bandit')
    if (FOLDER === REAL) {
      expect(log).toHaveLength(10_000)
      expect(log.filter(row => row.clicked)).toHaveLength(46)
    }
  })

  it('prints SQL that runs and finds it', async () => {
    const { output } = await replay(system.collectorUrl, 'open-bandit')
    await settle()
    const [decisions, , performance] = [...output.matchAll(/SELECT [^;]+/g)].map(([sql]) => sql)
    expect(Object.values((await system.query(decisions!))[0]!)).toEqual([log.length])
    const rows = await system.query<{ impressions: number; clicks: number }>(performance!)
    expect(rows.reduce((sum, row) => sum + row.impressions, 0)).toBe(log.length)
    expect(rows.reduce((sum, row) => sum + row.clicks, 0)).toBe(log.filter(row => row.clicked).length)
  })

  it('changes nothing the second time', async () => {
    const before = await idsOf('open-bandit')
    const { code, output } = await replay(system.collectorUrl, 'open-bandit')
    expect(code, output).toBe(0)
    await expectLogOf('open-bandit')
    expect(await idsOf('open-bandit')).toEqual(before)
  })

  it('can be valued from the warehouse as from the file', async () => {
    const policy = ['--policy', 'uniform', '--json']
    const stored = await evaluate('--slot', 'recommendations', '--site', 'open-bandit', ...policy)
    const fromFile = await evaluate('--log', join(FOLDER, fileOfLog()), ...policy)
    for (const name of ['ips', 'snips'] as const)
      for (const end of ['value', 'low', 'high'] as const)
        expect(stored.estimates[name][end], `${name} ${end}`).toBeCloseTo(fromFile.estimates[name][end], 9)
    for (const name of ['ess', 'overlap', 'maxWeight'] as const) expect(stored[name]).toBeCloseTo(fromFile[name], 6)
    expect(stored.refused?.code).toBe(fromFile.refused?.code)

    const before = ['--slot', 'recommendations', '--to', '2019-01-01']
    await expect(evaluate(...before, ...policy)).rejects.toThrow('there are no decisions of the slot recommendations')
  })

  it('that is killed half-way and run again brings exactly the same', async () => {
    const proxy = await startProxy(system.collectorUrl)
    const first = replay(proxy.url, 'killed')
    // Each parcel is at most 250 rows; half of them are stored, and the answer to the last never arrives.
    await proxy.passed(Math.max(2, Math.floor(log.length / 500)))
    first.child.kill('SIGKILL')
    expect((await first).code).toBeNull()
    await proxy.close()
    await settle()
    const [sofar] = await system.query<{ n: number }>(
      `SELECT count() AS n FROM slotstream.events WHERE site_id = 'killed'`,
    )
    expect(sofar!.n).toBeGreaterThan(0)
    expect(sofar!.n).toBeLessThan(log.length)

    const { code, output } = await replay(system.collectorUrl, 'killed')
    expect(code, output).toBe(0)
    await expectLogOf('killed')
  })
})

/** Compares the warehouse with the file, row by row: item, position, time, propensity; and that the ids match. */
async function expectLogOf(siteId: string): Promise<void> {
  await settle()
  const site = `site_id = '${siteId}'`
  const decisions = await system.query<{ row: string }>(
    `SELECT concat(content_ids[1], ' ', toString(position), ' ', toString(toUnixTimestamp64Milli(timestamp)), ' ',
       toString(propensities[1])) AS row
     FROM slotstream.decisions WHERE ${site}`,
  )
  expect(decisions.map(({ row }) => row).sort()).toEqual(
    log.map(row => `${row.content_id} ${row.position} ${row.time} ${row.propensity}`).sort(),
  )
  for (const [event, rows] of [
    ['Slot Viewed', log],
    ['Slot Clicked', log.filter(row => row.clicked)],
  ] as const) {
    const events = await system.query<{ row: string }>(
      `SELECT concat(content_id, ' ', toString(position), ' ', toString(toUnixTimestamp64Milli(timestamp))) AS row
       FROM slotstream.events WHERE ${site} AND event = '${event}'`,
    )
    expect(events.map(({ row }) => row).sort()).toEqual(
      rows.map(row => `${row.content_id} ${row.position} ${row.time}`).sort(),
    )
  }
  const [ids] = await system.query<{ messages: number; decisions: number; apart: number }>(
    `SELECT uniqExact(events.message_id) AS messages, uniqExact(decisions.decision_id) AS decisions,
       countIf(decisions.content_ids[1] != events.content_id OR decisions.anonymous_id != events.anonymous_id) AS apart
     FROM slotstream.events AS events LEFT JOIN slotstream.decisions AS decisions
     ON events.site_id = decisions.site_id AND events.decision_id = decisions.decision_id
     WHERE events.${site}`,
  )
  expect(ids).toEqual({
    messages: log.length + log.filter(row => row.clicked).length,
    decisions: log.length,
    apart: 0,
  })
}

/** Everything a second replay could change, as one number per table. */
async function idsOf(siteId: string): Promise<unknown[]> {
  const site = `site_id = '${siteId}'`
  return [
    ...(await system.query(
      `SELECT count() AS n, groupBitXor(cityHash64(message_id, timestamp, stream_seq)) AS rows FROM slotstream.events WHERE ${site}`,
    )),
    ...(await system.query(
      `SELECT count() AS n, groupBitXor(cityHash64(decision_id, timestamp, stream_seq)) AS rows FROM slotstream.decisions WHERE ${site}`,
    )),
    ...(await system.query(`SELECT count() AS n, sum(events) AS events FROM slotstream.sessions WHERE ${site}`)),
  ]
}

let settled = 0

/** Waits until the warehouse has all that was sent before: a last event and a last decision come after the others. */
async function settle(): Promise<void> {
  const id = `settled-${++settled}`
  const timestamp = new Date().toISOString()
  const answer = await fetch(`${system.collectorUrl}/v1/batch?writeKey=settled`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ batch: [{ messageId: id, type: 'track', event: 'Settled', anonymousId: id }] }),
  })
  expect(answer.status).toBe(200)
  await system.admin('POST', '/sites/settled/decisions/import', {
    decisions: [{ decisionId: id, slotId: 'settled', anonymousId: id, timestamp }],
  })
  await until(
    'the warehouse has everything',
    () =>
      system.query<{ n: number }>(
        `SELECT (SELECT count() FROM slotstream.events WHERE message_id = '${id}') +
           (SELECT count() FROM slotstream.decisions WHERE decision_id = '${id}') AS n`,
      ),
    rows => rows[0]?.n === 2,
    { timeoutMs: 60_000, everyMs: 200 },
  )
}

/** Runs the program as `npm run replay` does. */
function replay(collector: string, site: string) {
  const child = spawn(process.execPath, [PROGRAM, 'open-bandit', FOLDER, '--collector', collector, '--site', site], {
    env: { ...process.env, ADMIN_TOKEN: system.adminToken },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  child.stderr.on('data', chunk => {
    output += chunk
  })
  const ended = new Promise<{ code: number | null; output: string }>(resolve =>
    child.once('close', code => resolve({ code, output })),
  )
  return Object.assign(ended, { child })
}

/** Runs `npm run evaluate` on the warehouse of the system. */
async function evaluate(...args: string[]) {
  const child = spawn(process.execPath, [EVALUATE, ...args], {
    env: { ...process.env, CLICKHOUSE_URL: system.clickhouseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [code, output, errors] = await Promise.all([
    new Promise(resolve => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ])
  if (code !== 0) throw new Error(errors)
  return JSON.parse(output)
}

/**
 * Stands before the collector. It passes so many batches on, holds the answer to the last of them, and no more pass.
 */
async function startProxy(target: string) {
  let batches = 0
  let stopAt = Number.POSITIVE_INFINITY
  let reached = () => {}
  const server = createServer((request, response) => {
    const number = request.url === '/v1/batch' ? ++batches : 0
    if (number > stopAt) return
    const forward = httpRequest(target + request.url, { method: request.method, headers: request.headers }, answer => {
      if (number === stopAt) {
        answer.resume()
        return reached()
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    forward.on('error', () => response.destroy())
    request.pipe(forward)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when the collector has stored so many batches. */
    passed: (count: number) =>
      new Promise<void>(resolve => {
        stopAt = count
        reached = resolve
      }),
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function fileOfLog(): string {
  const isLog = (name: string) =>
    readFileSync(join(FOLDER, name), 'utf8').split('\n', 1)[0]!.includes('propensity_score')
  const name = readdirSync(FOLDER).find(name => name.endsWith('.csv') && isLog(name))
  if (!name) throw new Error(`${FOLDER} holds no log`)
  return name
}

/** The file, read with nothing of the program under test. */
function readLog(): LoggedRow[] {
  const [header, ...lines] = readFileSync(join(FOLDER, fileOfLog()), 'utf8').trim().split('\n')
  const columns = header!.split(',')
  return lines.map(line => {
    const fields = line.split(',')
    const field = (column: string) => fields[columns.indexOf(column)]!
    return {
      content_id: `item-${field('item_id')}`,
      position: Number(field('position')),
      clicked: field('click') === '1',
      propensity: Number(field('propensity_score')),
      // Milliseconds: JavaScript's dates drop the microseconds of the file.
      time: Date.parse(field('timestamp').replace(' ', 'T')),
    }
  })
}
