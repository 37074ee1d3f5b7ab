import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PartName, type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const MAIN = fileURLToPath(new URL('../../supervisor/dist/main.js', import.meta.url))
const PARTS: PartName[] = ['collector', 'aggregator', 'warehouse', 'clickhouse', 'nats-server']

let first: System
let second: System

beforeAll(async () => {
  // One as a stranger starts it, whose tables aren't there yet.
  const empty = await mkdtemp(join(tmpdir(), 'slotstream-start-'))
  ;[first, second] = await Promise.all([startSystem(), startSystem({}, empty)])
})

afterAll(async () => {
  await Promise.all([first?.stop(), second?.stop()])
})

const track = (system: System, event: string) =>
  fetch(`${system.collectorUrl}/v1/track`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa('demo:')}` },
    body: JSON.stringify({ anonymousId: 'somebody', event, messageId: event }),
  })

const eventsOf = async (system: System) =>
  (await system.query<{ event: string }>('SELECT event FROM slotstream.events')).map(row => row.event)

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Runs `npm start` with the environment given until it ends; resolves to its exit code and what it said. */
async function startAndFail(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [MAIN], { env: { ...process.env, ...env } })
  let said = ''
  child.stdout.on('data', chunk => {
    said += chunk
  })
  const [code] = await once(child, 'close')
  return { code, said }
}

describe('npm start', () => {
  it('runs two installations side by side, each with its own data', async () => {
    expect((await track(first, 'of the first')).status).toBe(200)
    expect((await track(second, 'of the second')).status).toBe(200)
    expect(
      await until(
        'a row in the first',
        () => eventsOf(first),
        rows => rows.length > 0,
      ),
    ).toEqual(['of the first'])
    expect(
      await until(
        'a row in the second',
        () => eventsOf(second),
        rows => rows.length > 0,
      ),
    ).toEqual(['of the second'])
  })

  it('sets up the demo site once, and leaves alone what was changed', async () => {
    const catalog = async () =>
      (await first.admin('GET', '/sites/demo/catalog')) as { slots: { id: string }[]; content: object[] }
    expect((await catalog()).slots.map(slot => slot.id).toSorted()).toEqual(['for-you', 'hero'])
    await first.admin('DELETE', '/sites/demo/slots/for-you')
    await first.kill('collector')
    await until('the collector serves again', catalog, ({ content }) => content.length === 16)
    expect((await catalog()).slots.map(slot => slot.id)).toEqual(['hero'])
  })

  it('refuses a data folder that is in use, and a port that is taken, and says what to do', async () => {
    const inUse = await startAndFail({ DATA_DIR: first.dataDir, PORT: '1' })
    expect(inUse.code).toBe(1)
    expect(inUse.said).toMatch(/in use by process \d+.*DATA_DIR/)

    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const taken = await startAndFail({ DATA_DIR: `${first.dataDir}/other`, PORT: String(port) })
    server.close()
    expect(taken.code).toBe(1)
    expect(taken.said).toContain(`port ${port} is taken`)
    expect(taken.said).toContain('PORT=')
  })

  it('leaves nothing running when it is killed itself, and goes on with the same data', async () => {
    const pids = await Promise.all(PARTS.map(part => second.pidOf(part)))
    second.supervisor.kill('SIGKILL')
    // Taken over before anything is expected of it, so that it is ended also when an expectation fails.
    second = await startSystem({}, second.dataDir)
    const nats = await second.pidOf('nats-server')
    // Their parent is gone, so the system's first process has to take note of their end, which it does in its own time.
    const left = () => pids.filter(pid => isAlive(pid) && pid !== nats)
    await until('the parts of the killed one are gone', left, alive => alive.length === 0)
    expect(await eventsOf(second)).toEqual(['of the second'])
  })

  it('ends every part on SIGTERM', async () => {
    const system = await startSystem()
    const pids = await Promise.all(PARTS.map(part => system.pidOf(part)))
    expect(pids.every(isAlive)).toBe(true)
    await system.stop()
    expect(pids.filter(isAlive)).toEqual([])
    expect(system.supervisor.exitCode).toBe(0)
  })

  it('ends every part when its terminal is closed', async () => {
    const pids = await Promise.all(PARTS.map(part => second.pidOf(part)))
    for (const output of [second.supervisor.stdout, second.supervisor.stderr]) output!.destroy()
    const exited = once(second.supervisor, 'exit')
    second.supervisor.kill('SIGHUP')
    expect(await exited).toEqual([0, null])
    expect(pids.filter(isAlive)).toEqual([])
  })
})
