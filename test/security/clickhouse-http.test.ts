import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHostCheck, createMetrics, startStatusServer } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type Running, start, stopAll } from '../support/embedded-server.js'
import { openRaw, type RawConnection } from '../support/raw-http.js'
import { until } from '../support/until.js'

// The ClickHouse port as an HTTP server: what clients do with connections, headers and bodies that never end, and with
// requests that two readers understand differently. The user with the password always gets in.

const MAX_CONNECTIONS = 40
const WRITER = { 'x-clickhouse-user': 'slotstream', 'x-clickhouse-key': PASSWORD }

let folder: string
let running: Running
let opened: RawConnection[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clickhouse-http-'))
  running = await start(join(folder, 'clickhouse'), { CLICKHOUSE_MAX_CONNECTIONS: String(MAX_CONNECTIONS) })
})

afterEach(async () => {
  for (const { socket } of opened) socket.destroy()
  await Promise.all(opened.map(({ closed }) => closed))
  opened = []
})

afterAll(async () => {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
})

async function raw(text: string | Uint8Array = '', url = running.url): Promise<RawConnection> {
  const connection = await openRaw(url, text)
  opened.push(connection)
  return connection
}

const eventually = (is: () => boolean) => until('what the connections show', is, Boolean)
const many = (count: number, text = ''): Promise<RawConnection[]> =>
  Promise.all(Array.from({ length: count }, () => raw(text)))
const isOpen = ({ socket }: RawConnection): boolean => !socket.closed && !socket.readableEnded
const answersIn = (text: string): number => text.match(/^HTTP\/1\.1 [2-5]\d\d/gm)?.length ?? 0

/** Sends a query on a connection of its own, or of an agent. */
function ask(sql: string, headers: Record<string, string> = {}, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, agent: agent ?? false }
    const outgoing = request(running.url, options, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(sql)
  })
}

const head = (lines: string, more = ''): string => `POST / HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n${more}`
const asWriter = Object.entries(WRITER)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')

it('closes what sends its headers or its body byte by byte, or nothing; not the body of the user with the password', async () => {
  const silent = await raw()
  const trickling = await raw('POST / HTTP/1.1\r\nHost: localhost\r\nX-A: ')
  const again = await raw('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\nGET /ping HTTP/1.1\r\n')
  const slow = await raw(head('Content-Length: 1000000\r\n', 'SELECT 1'))
  const chunked = await raw(head('Transfer-Encoding: chunked\r\n', '4\r\nSELE\r\n'))
  const unread = await raw('POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx')
  const trusted = await raw(head(`${asWriter}Content-Length: 8\r\n`, 'SELECT'))
  const dripping = setInterval(() => {
    for (const { socket } of [trickling, slow, unread]) socket.write('x')
  }, 500)
  try {
    await Promise.all([silent, trickling, again, slow, chunked, unread].map(({ closed }) => closed))
  } finally {
    clearInterval(dripping)
  }
  for (const { received } of [slow, chunked]) expect(received()).toMatch(/^HTTP\/1\.1 408 .*\(SOCKET_TIMEOUT\)/s)
  expect(trickling.received()).toMatch(/^(?:HTTP\/1\.1 408 |$)/)
  expect(answersIn(again.received())).toBeLessThanOrEqual(2)
  expect(unread.received()).toContain('404')
  expect(isOpen(trusted)).toBe(true)
  trusted.socket.write(' 1')
  await eventually(() => trusted.received().includes('\r\n\r\n1\r\n') || trusted.received().includes('1\n'))
})

describe('with more connections than there may be', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterAll(() => agent.destroy())

  it.each([
    ['idle', ''],
    ['with half a head', 'POST / HTTP/1.1\r\nHost: '],
    ['with half a body', head('Content-Length: 100\r\n', 'SELECT')],
    ['that were answered and are kept', 'GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('%s, everybody gets in, and the oldest go', async (_what, text) => {
    expect(await ask('SELECT 1', WRITER, agent)).toBe('1\n')
    const connections: RawConnection[] = []
    for (let n = 0; n < 5; n++) {
      connections.push(...(await many(MAX_CONNECTIONS, text)))
      expect(await ask('SELECT 2', WRITER)).toBe('2\n')
      expect(await ask('SELECT 3')).toBe('3\n')
      // Nothing closed the connection that is kept.
      expect(await ask('SELECT 4', WRITER, agent)).toBe('4\n')
      expect(Object.values(agent.freeSockets).flat().length).toBe(1)
    }
    await eventually(() => connections.filter(isOpen).length <= MAX_CONNECTIONS)
    expect(isOpen(connections[0]!)).toBe(false)
  })

  it('that work or wait for their turn, some are rejected, and the user with the password is not', async () => {
    const answers = Array.from({ length: MAX_CONNECTIONS }, () => ask('SELECT sleep(0.2) FORMAT Null'))
    let left = answers.length
    for (const answer of answers) void answer.finally(() => left--).catch(() => {})
    await Promise.race(answers)
    expect(await ask('SELECT 1', WRITER)).toBe('1\n')
    expect(left).toBeGreaterThan(0)
    const texts = await Promise.all(answers)
    const refused = texts.filter(text => text.includes('(TOO_MANY_SIMULTANEOUS_QUERIES)')).length
    expect(refused).toBeGreaterThan(0)
    expect(texts.filter(text => text === '').length).toBe(MAX_CONNECTIONS - refused)
    expect(await ask('SELECT 5')).toBe('5\n')
  })
})

describe('requests that come before the answer to the first', () => {
  const query = (sql: string) => `GET /?query=${encodeURIComponent(sql)} HTTP/1.1\r\nHost: localhost\r\n\r\n`

  it('are answered in their order, one at a time', async () => {
    const connection = await raw(
      Array.from({ length: 20 }, (_, i) => query(`SELECT ${i} + 1000 AS n, 'piped'`)).join(''),
    )
    await eventually(() => answersIn(connection.received()) === 20)
    const numbers = [...connection.received().matchAll(/^(\d+)\tpiped$/gm)].map(([, n]) => Number(n))
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i + 1000))
    const sleeping = await raw(query('SELECT sleep(0.5), 1 AS piped').repeat(4))
    const counts: string[] = []
    while (answersIn(sleeping.received()) < 4)
      counts.push(
        await ask(
          "SELECT count() FROM system.processes WHERE query LIKE '%1 AS piped%' AND query NOT LIKE '%count%'",
          WRITER,
        ),
      )
    expect(Math.max(...counts.map(Number))).toBe(1)
  })

  it('close the connection when there are too many', async () => {
    const connection = await raw(query('SELECT sleep(1)').repeat(200))
    await connection.closed
    expect(answersIn(connection.received())).toBeLessThanOrEqual(100)
    expect(await ask('SELECT 1')).toBe('1\n')
  })
})

describe('a request that two readers understand differently', () => {
  const inner = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\nSELECT 'smuggled'"
  const length = `Content-Length: ${inner.length + 5}\r\n`

  it.each([
    ['length and chunks', head(`${length}Transfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`)],
    ['chunks and length', head(`Transfer-Encoding: chunked\r\n${length}`, `0\r\n\r\n${inner}`)],
    ['chunks that are not last', head('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${inner}`)],
    ['chunks that are spelled otherwise', head('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${inner}`)],
    ['chunks behind a space', head('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${inner}`)],
    [
      'chunks in a folded line',
      head('X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${inner}`),
    ],
    ['a folded length', head('Content-Length:\r\n 0\r\n', inner)],
    ['two lengths', head(`Content-Length: 0\r\n${length}`, inner)],
    ['a length with a sign', head('Content-Length: +0\r\n', inner)],
    ['a length with a comma', head(`Content-Length: 0, ${inner.length}\r\n`, inner)],
    ['line ends without a return', head('X-A: b\n', '').replaceAll('\r\n', '\n') + inner],
    ['a return without a line end', `POST / HTTP/1.1\rHost: localhost\r\r${inner}`],
    ['a zero in a header', head(`X-A: a\0b\r\nContent-Length: 0\r\n`, inner)],
    ['a size of a chunk with a sign', head('Transfer-Encoding: chunked\r\n', `+0\r\n\r\n${inner}`)],
    ['an extension of a chunk with a line end', head('Transfer-Encoding: chunked\r\n', `0;a\n\r\n\r\n${inner}`)],
    ['two hosts', `POST / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n${inner}`],
    ['no host', `POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n${inner}`],
    ['a method of its own', `SMUG / HTTP/1.1\r\nHost: localhost\r\n\r\n${inner}`],
  ])('is rejected, and what follows is not run: %s', async (_what, text) => {
    const connection = await raw(text)
    await connection.closed
    expect(connection.received()).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(connection.received()).not.toContain('smuggled\n')
  })
})

describe('a head', () => {
  const lines = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('')

  it.each([
    ['of 200 KB', head(`X-A: ${'a'.repeat(200_000)}\r\n`)],
    ['of 300 lines', head(`${lines(300)}Content-Length: 0\r\n`)],
    [
      'of 2,100 lines and a proxy’s own',
      head(`${lines(2_100)}X-Forwarded-For: 203.0.113.7\r\nContent-Length: 8\r\n`, 'SELECT 7'),
    ],
  ])('is rejected: %s', async (_what, text) => {
    const connection = await raw(text)
    await eventually(() => answersIn(connection.received()) > 0)
    expect(connection.received()).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('of 100 KB and 100 lines is not', async () => {
    const text = head(`${lines(90)}X-A: ${'a'.repeat(100_000)}\r\nContent-Length: 8\r\n`, 'SELECT 7')
    const connection = await raw(text)
    await eventually(() => connection.received().includes('\n7\n') || connection.received().includes('7\n'))
    expect(connection.received()).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('what HTTP has besides', () => {
  it.each([
    [
      'CONNECT',
      'CONNECT internal.example:80 HTTP/1.1\r\nHost: internal.example:80\r\n\r\n',
      /^(?:HTTP\/1\.1 4\d\d |$)/,
    ],
    [
      'another address as the target',
      'GET http://internal.example/?query=SELECT%201 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      /^HTTP\/1\.1 404 /,
    ],
    [
      'a switch of protocols',
      'GET /?query=SELECT%201 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      /^HTTP\/1\.1 200 /,
    ],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: localhost\r\nX-Secret: 1\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['an expectation of something else', head('Expect: 200-ok\r\nContent-Length: 0\r\n'), /^HTTP\/1\.1 417 /],
  ])('opens nothing: %s', async (_what, text, answer) => {
    const connection = await raw(text)
    await Promise.race([connection.closed, eventually(() => answersIn(connection.received()) > 0)])
    expect(connection.received()).toMatch(answer)
    expect(connection.received()).not.toMatch(/HTTP\/1\.1 101|X-Secret/)
  })

  it('lets a client wait for its turn to send the body', async () => {
    const connection = await raw(head('Expect: 100-continue\r\nContent-Length: 8\r\n'))
    await eventually(() => connection.received().startsWith('HTTP/1.1 100 '))
    connection.socket.write('SELECT 7')
    await eventually(() => connection.received().includes('7\n'))
  })
})

it('a status port answers, whatever connections are open', async () => {
  const server = await startStatusServer(0, '127.0.0.1', createMetrics(), () => [], createHostCheck([]))
  const url = `http://127.0.0.1:${server.port}`
  const idle = await Promise.all(Array.from({ length: 500 }, () => raw('GET /healthz HTTP/1.1\r\nHo', url)))
  for (let n = 0; n < 3; n++) expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await eventually(() => idle.filter(isOpen).length <= 200)
  await server.close()
})
