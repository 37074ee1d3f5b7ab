import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouseClient, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'

/** A second and a half of a hundredth each, in blocks that the engine counts one by one. */
const SLOW = 'SELECT sum(number + sleepEachRow(0.01)) FROM numbers(150)'
const BLOCKS = 'max_block_size=10'
const ASKING = `send_progress_in_http_headers=1&${BLOCKS}`

let folder: string
let running: Running
let writer: ClickHouseClient

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-progress-'))
  running = await start(folder)
  writer = createClient({
    url: running.url,
    username: 'slotstream',
    password: PASSWORD,
    log: { level: 127 },
    clickhouse_settings: { send_progress_in_http_headers: 1, max_block_size: '10' },
  })
})

afterAll(async () => {
  await writer.close()
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

/** A connection whose bytes are read as they come. */
function dial(): { socket: Socket; received: () => Buffer; until: (what: string) => Promise<string> } {
  const socket = connect(Number(new URL(running.url).port), '127.0.0.1')
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
  })
  return {
    socket,
    received: () => received,
    async until(what) {
      while (!received.includes(what)) await once(socket, 'data')
      return received.toString('latin1')
    },
  }
}

function post(parameters: string, query: string): string {
  return `POST /?${parameters} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${query.length}\r\n\r\n${query}`
}

function progressOf(head: string): { read_rows: string; total_rows_to_read: string }[] {
  return [...head.matchAll(/^X-ClickHouse-Progress: (.*)\r$/gm)].map(([, value]) => JSON.parse(value!))
}

describe('progress in headers', () => {
  it('comes while the query runs, one header after the other, and the connection goes on', async () => {
    const { socket, received, until } = dial()
    socket.write(post(`${ASKING}&query_id=watched`, SLOW))
    const early = await until('X-ClickHouse-Progress')
    expect(early).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(early).toContain('X-ClickHouse-Query-Id: watched\r\n')
    expect(early).not.toContain('\r\n\r\n')

    const answer = await until('0\r\n\r\n')
    const [head, body] = answer.split('\r\n\r\n') as [string, string]
    expect(body).toBe('6\r\n11175\n\r\n0')
    const rows = progressOf(head).map(({ read_rows }) => Number(read_rows))
    expect(rows.length).toBeGreaterThan(1)
    expect(rows).toEqual([...rows].sort((a, b) => a - b))
    expect(rows.at(-1)).toBeGreaterThan(rows[0]!)
    expect(progressOf(head).at(-1)).toMatchObject({ total_rows_to_read: '150', elapsed_ns: expect.any(String) })
    const names = head.split('\r\n').map(line => line.split(':')[0]!)
    const others = names.filter(name => name !== 'X-ClickHouse-Progress')
    expect(new Set(others).size).toBe(others.length)
    expect(head).toMatch(/X-ClickHouse-Summary: \{"result_rows":"1",/)

    const before = received().length
    socket.write(post('', 'SELECT 7'))
    expect((await until('7\n\r\n0\r\n\r\n')).slice(before)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    socket.destroy()
  })

  it('waits for the answers to requests that were sent before on the connection', async () => {
    const { socket, until } = dial()
    const slow = 'SELECT sleep(0.5)'
    socket.write(post('query_id=first', slow) + post(`${ASKING}&query_id=second`, SLOW))
    const answers = (await until('11175\n\r\n0\r\n\r\n')).split(/(?=HTTP\/1\.1 200 OK\r\n)/)
    expect(answers).toHaveLength(2)
    expect(answers[0]).toContain('X-ClickHouse-Query-Id: first\r\n')
    expect(progressOf(answers[0]!)).toEqual([])
    expect(progressOf(answers[1]!).length).toBeGreaterThan(0)
    socket.destroy()
  })

  it('goes before a compressed result', async () => {
    const response = await fetch(`${running.url}/?${ASKING}&enable_http_compression=1`, { method: 'POST', body: SLOW })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(response.headers.get('x-clickhouse-progress')).toContain('"read_rows"')
    expect(await response.text()).toBe('11175\n')
  })

  it('comes no more often than asked for, and not at all to who does not ask or gets the answer at once', async () => {
    const progress = async (parameters: string, query: string): Promise<string | null> => {
      const response = await fetch(`${running.url}/?${BLOCKS}&${parameters}`, { method: 'POST', body: query })
      expect(response.status).toBe(200)
      await response.text()
      return response.headers.get('x-clickhouse-progress')
    }
    expect(await progress('send_progress_in_http_headers=0', SLOW)).toBeNull()
    expect(await progress(`${ASKING}&http_headers_progress_interval_ms=60000`, SLOW)).toBeNull()
    const odd = await fetch(`${running.url}/?http_headers_progress_interval_ms=x&query=SELECT+1`)
    expect(await odd.text()).toContain('(CANNOT_PARSE_NUMBER)')
  })

  it('ends with the error of the query, whose status was sent by then', async () => {
    const query = 'SELECT sum(sleepEachRow(0.01) + throwIf(number = 120)) FROM numbers(150)'
    const response = await fetch(`${running.url}/?${ASKING}`, { method: 'POST', body: query })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-clickhouse-progress')).toContain('"read_rows"')
    expect(response.headers.get('x-clickhouse-exception-code')).toBe('395')
    expect(await response.text()).toMatch(/^Code: 395\. DB::Exception: /)
    await expect(writer.query({ query })).rejects.toMatchObject({ code: '395' })
  })

  it('tells of rows written, and lets @clickhouse/client wait for a long insert', async () => {
    await writer.command({ query: 'CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n' })
    const { response_headers, summary } = await writer.command({
      query: 'INSERT INTO t SELECT number + sleepEachRow(0.01) FROM numbers(150)',
      clickhouse_settings: { wait_end_of_query: 1, min_insert_block_size_rows: '10' },
    })
    expect(response_headers['x-clickhouse-progress']).toMatch(/"written_rows":"[1-9]/)
    expect(summary).toMatchObject({ elapsed_ns: expect.any(String) })
    expect(await (await writer.query({ query: 'SELECT count() FROM t', format: 'TabSeparated' })).text()).toBe('150\n')
  })
})

describe('progress in rows', () => {
  it('comes while the query runs, in the format JSONEachRowWithProgress', async () => {
    const { socket, until } = dial()
    socket.write(post(BLOCKS, `${SLOW.replace(' FROM', ' AS s FROM')} FORMAT JSONEachRowWithProgress`))
    expect(await until('{"progress":')).not.toContain('"row"')
    expect(await until('0\r\n\r\n')).toContain('{"row":{"s":11175}}')
    socket.destroy()
  })
})
