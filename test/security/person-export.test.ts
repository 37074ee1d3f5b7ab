import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { createCollector } from '@slotstream/collector'
import { streamSubject } from '@slotstream/protocol'
import { connectNats, createLog, type Nats, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const ROWS = 100_000
/** Longer than anything may be silent between an aggregator and a collector. */
const PAUSE_MS = 62_000
const STALL_MS = 2_000
/** Memory that a process may take beyond what it had, in MB: the export is 100. */
const ROOM_MB = 70

/** How a whole answer ends. */
const WHOLE = /\r\n0\r\n\r\n$/

let system: System
let clickhouse: ClickHouseClient
let nats: Nats
/** A collector of the same installation that doesn't wait long. */
let impatient: { url: string; stop(): Promise<void> }
const person = `person-${randomUUID()}`
/** An export whose client stops reading for a while. */
let pausing: Promise<string>

beforeAll(async () => {
  system = await startSystem()
  const log = createLog('test')
  log.level = 'silent'
  nats = await connectNats(system.natsUrl, 'test', log)
  const installation = await provision(nats, sharedSettings({ NATS_URL: system.natsUrl }), log)
  const { adminToken } = system
  const settings = { exportStallMs: STALL_MS }
  const made = createCollector({ nats, installation, adminToken, demoDir: '', sdkFile: '', log, settings })
  impatient = { url: `http://127.0.0.1:${await made.listen(0, '127.0.0.1')}`, stop: made.stop }
  clickhouse = createClient({
    url: system.clickhouseUrl,
    username: 'slotstream',
    password: system.clickhousePassword(),
    log: { level: ClickHouseLogLevel.OFF },
  })
  await clickhouse.command({
    query: `INSERT INTO slotstream.events
            (site_id, message_id, type, event, anonymous_id, user_id, timestamp, received_at, stream_seq, properties)
            SELECT 'demo', toString(number), 'track', 'Seen', 'b', {person:String}, now64(3), now64(3),
              1000000000 + number, concat('{"text":"', repeat('x', 300), '"}') FROM numbers(${ROWS})`,
    query_params: { person },
  })
  pausing = readWithPause()
}, 180_000)

afterAll(async () => {
  await impatient?.stop()
  await clickhouse?.close()
  await nats?.close()
  await system?.stop()
})

/** Asks for an export by a connection that isn't read until it is told to. */
function ask(url: string, id = person): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.pause()
  const lines = ['Host: localhost', `Authorization: Bearer ${system.adminToken}`, 'Connection: close']
  socket.write(`GET /v1/admin/sites/demo/people/${id} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  return socket.on('error', () => {})
}

/** Reads what is left of an answer. */
async function rest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk)).resume()
  await new Promise(resolve => (socket.destroyed ? resolve(0) : socket.once('close', resolve)))
  return Buffer.concat(chunks).toString('utf8')
}

async function readWithPause(): Promise<string> {
  const socket = ask(system.collectorUrl)
  await pause(PAUSE_MS)
  return rest(socket)
}

/** Rows in the text of an answer, whose chunks end anywhere. */
const rowsIn = (text: string) => text.replace(/\r\n[0-9a-f]+\r\n/g, '').split('"place":"table events"').length - 1

/** Ids of the queries of exports that ClickHouse runs now. */
async function queries(): Promise<string[]> {
  const result = await clickhouse.query({
    query: "SELECT query_id FROM system.processes WHERE query LIKE '%AS place_1%' AND query NOT LIKE '%processes%'",
    format: 'JSONEachRow',
  })
  return (await result.json<{ query_id: string }>()).map(({ query_id }) => query_id)
}

/** Asks for an export that isn't read; resolves with the id of its query. */
async function begun(url: string): Promise<{ socket: Socket; query: string }> {
  const others = await queries()
  const socket = ask(url)
  const found = await until('it runs', queries, ids => ids.some(id => !others.includes(id)))
  return { socket, query: found.find(id => !others.includes(id))! }
}

const fetchExport = (id: string) =>
  fetch(`${system.collectorUrl}/v1/admin/sites/demo/people/${id}`, {
    headers: { Authorization: `Bearer ${system.adminToken}` },
  })

const memoryOf = async (part: 'collector' | 'warehouse') => {
  const status = readFileSync(`/proc/${await system.pidOf(part)}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) / 1024
}

describe('the export of a person with many rows', () => {
  it('is sent as it is read: no process holds it', async () => {
    const parts = process.platform === 'linux' ? (['collector', 'warehouse'] as const) : []
    const before = await Promise.all(parts.map(memoryOf))
    const text = await (await fetchExport(person)).text()
    expect(rowsIn(text)).toBe(ROWS)
    const after = await Promise.all(parts.map(memoryOf))
    for (const [n, part] of parts.entries()) expect(after[n]! - before[n]!, part).toBeLessThan(ROOM_MB)
  }, 120_000)

  it('goes on after a client took nothing for longer than a minute', async () => {
    const text = await pausing
    expect(rowsIn(text)).toBe(ROWS)
    expect(text).toMatch(WHOLE)
  }, 180_000)

  it('frees its query and its connection when the client goes, or takes nothing for a while', async () => {
    for (const isGone of [true, false]) {
      const { socket, query } = await begun(isGone ? system.collectorUrl : impatient.url)
      if (isGone) socket.destroy()
      await until('its query has ended', queries, ids => !ids.includes(query), { timeoutMs: 60_000 })
      if (!isGone) expect(await rest(socket)).not.toMatch(WHOLE)
    }
  }, 120_000)

  it('has things that are larger than a message of NATS', async () => {
    const id = `large-${randomUUID()}`
    const text = `{"broken": "${id}" ${'"'.repeat(650_000)}`
    await nats.js.publish(streamSubject('events', 3), text)
    const lines = (await (await fetchExport(id)).text()).trim().split('\n')
    expect(lines.map(line => JSON.parse(line))).toContainEqual({ place: 'stream EVENTS', value: text })
  }, 120_000)

  it('waits for others when there are too many', async () => {
    // Asked for until two run: an export before may hold its place for a moment longer.
    const sockets: Socket[] = []
    const queriesAfterAsking = () => {
      sockets.push(ask(system.collectorUrl))
      return queries()
    }
    await until('two run', queriesAfterAsking, ids => ids.length === 2, { everyMs: 500 })
    const refused = await fetchExport(person)
    expect(refused.status).toBe(503)
    expect(await refused.text()).toContain('other exports are running')
    for (const socket of sockets) socket.destroy()
  }, 120_000)

  it('says that it is incomplete when it breaks off: by a line, and by an end that is none', async () => {
    await until(
      'there is room again',
      async () => (await fetchExport('nobody')).status,
      status => status === 200,
    )
    const { socket } = await begun(system.collectorUrl)
    const reading = rest(socket)
    await once(socket, 'data')
    await system.kill('clickhouse')
    const text = await reading
    expect(text).toContain('{"place":"error","value":"the export broke off here')
    expect(text).not.toMatch(WHOLE)
    expect(rowsIn(text)).toBeLessThan(ROWS)
  }, 120_000)
})
