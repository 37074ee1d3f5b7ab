import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyMigratedTables } from '../support/migrated-tables.js'
import { type PartName, type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

let system: System | undefined

beforeEach(({ skip }) => {
  if (process.getuid?.() !== 0 || process.platform !== 'linux')
    skip('only root, on Linux, can start a part as another user')
})
afterEach(async () => {
  await system?.stop()
  system = undefined
})

/** User that a part runs as: real, effective, saved and of files; and its groups. */
async function idsOf(part: PartName) {
  const status = readFileSync(`/proc/${await system!.pidOf(part)}/status`, 'utf8')
  const line = (name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)![1]!.split(/\s+/).filter(Boolean).map(Number)
  return { uids: line('Uid'), gids: line('Gid'), groups: line('Groups') }
}

const idOf = (what: '-u' | '-g', name: string) => Number(execFileSync('id', [what, name], { encoding: 'utf8' }))

const nobody = () => idOf('-u', 'nobody')

async function track(event: string): Promise<void> {
  const response = await fetch(`${system!.collectorUrl}/v1/track`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa('demo:')}` },
    body: JSON.stringify({ anonymousId: 'v', event, messageId: event }),
  })
  expect(response.status).toBe(200)
  await until(
    `${event} is in the table`,
    () => system!.query(`SELECT 1 FROM slotstream.events WHERE event = '${event}'`),
    rows => rows.length === 1,
  )
}

describe('started by root', () => {
  it('ClickHouse and NATS run as users of their own, also on data that root made, and can read nothing of root’s', async () => {
    system = await startSystem({ CLICKHOUSE_RUN_AS: 'root', NATS_RUN_AS: 'root' })
    const { dataDir } = system
    expect((await idsOf('clickhouse')).uids).toEqual([0, 0, 0, 0])
    await track('before')
    system.supervisor.kill('SIGTERM')
    await once(system.supervisor, 'exit')

    writeFileSync(join(dataDir, 'clickhouse-users.json'), '{"users":{}}')
    system = await startSystem({}, dataDir)
    await track('after')
    expect(await idsOf('clickhouse')).toEqual({
      uids: Array(4).fill(nobody()),
      gids: Array(4).fill(idOf('-g', 'nobody')),
      groups: [],
    })
    expect((await idsOf('nats-server')).uids).toEqual(Array(4).fill(64_222))
    expect((await idsOf('collector')).uids).toEqual([0, 0, 0, 0])
    expect(await system.query('SELECT event FROM slotstream.events ORDER BY event')).toEqual([
      { event: 'after' },
      { event: 'before' },
    ])

    // What the engine's user can do is what a query that broke out of it can.
    const as = (uid: number, command: string) =>
      execFileSync('sh', ['-c', command], { uid, gid: uid, stdio: 'pipe', encoding: 'utf8', cwd: '/' })
    for (const path of ['clickhouse-password', 'nats-users.json', 'nats-server.conf', 'logs', 'nats', 'run'])
      expect(() => as(nobody(), `ls '${dataDir}/${path}'/. || cat '${dataDir}/${path}'`), path).toThrow(/denied/)
    expect(() => as(nobody(), `touch '${dataDir}/planted'`)).toThrow(/denied/)
    for (const part of ['collector', 'aggregator', 'warehouse', 'nats-server'] as const) {
      const pid = await system.pidOf(part)
      expect(() => as(nobody(), `cat /proc/${pid}/environ`)).toThrow(/denied/)
      expect(() => as(nobody(), `kill -9 ${pid}`)).toThrow(/not permitted/)
    }
    expect(() => as(64_222, `ls '${dataDir}/clickhouse'`)).toThrow(/denied/)
    expect(as(nobody(), `ls '${dataDir}/clickhouse'`)).toContain('user_files')
    // The named users it has to read, and not to write.
    const group = idOf('-g', 'nobody')
    const users = `'${dataDir}/clickhouse-users.json'`
    expect(execFileSync('sh', ['-c', `cat ${users}`], { uid: nobody(), gid: group, encoding: 'utf8' })).toBe(
      '{"users":{}}',
    )
    expect(() => as(nobody(), `echo >> ${users}`)).toThrow(/denied/)
  })

  it('they stay root where their user cannot get to the data, and say so', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'slotstream-closed-'))
    const dataDir = join(closed, 'data')
    mkdirSync(dataDir)
    await copyMigratedTables(join(dataDir, 'clickhouse'))
    system = await startSystem({}, dataDir)
    expect((await idsOf('clickhouse')).uids).toEqual([0, 0, 0, 0])
    expect(system.output()).toMatch(
      /clickhouse runs as root, because the user nobody can't \(.*EACCES.*CLICKHOUSE_RUN_AS/,
    )
    expect(system.output()).toMatch(/nats-server runs as root, because the user 64222 can't \(.*NATS_RUN_AS/)
    expect(lstatSync(join(dataDir, 'clickhouse')).uid).toBe(0)
    await track('as root')
    await system.stop()
    system = undefined
    rmSync(closed, { recursive: true })
  })

  it('take another user when told, by name or number', async () => {
    system = await startSystem({ CLICKHOUSE_RUN_AS: '64500:64501', NATS_RUN_AS: 'nobody' })
    const { uids, gids } = await idsOf('clickhouse')
    expect([uids[0], gids[0]]).toEqual([64_500, 64_501])
    expect((await idsOf('nats-server')).uids[0]).toBe(nobody())
  })
})
