import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type EventEnvelope, openEnvelope } from '@slotstream/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putSite, startBroker } from '../support/collector.js'
import { WITHOUT_LIMITS_ENV } from '../support/without-limits.js'

/** How many requests; the long run sends 100,000. */
const REQUESTS = Number(process.env.FUZZ_REQUESTS || 3_000)
/** Sent at a time. */
const AT_ONCE = 20
const MB = 1024 * 1024

let broker: Awaited<ReturnType<typeof startBroker>>
let collector: Awaited<ReturnType<Awaited<ReturnType<typeof startBroker>>['program']>>

beforeAll(async () => {
  broker = await startBroker()
  collector = await broker.program(WITHOUT_LIMITS_ENV)
  await putSite(collector.url, 'fuzz')
})

afterAll(() => broker?.stop())

const ROUTES = ['batch', 'b', 'track', 't', 'page', 'identify', 'group', 'alias', 'slots', 'nowhere', '', '%', 'Batch/']

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\0', '__proto__', '\ud800', '0', 'v-1'))
const anything = fc.oneof(
  { weight: 10, arbitrary: fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) },
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 3_000 }).map(nested) },
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 60_000 }).map(length => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.dictionary(text, fc.integer(), { maxKeys: 8 }) },
)
const usually = <T, U>(usual: fc.Arbitrary<T>, strange: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: strange })

/** Objects as they should be, of which some have up to two fields that hold anything. */
const careless = (good: fc.Arbitrary<object>, fields: string[]) =>
  fc
    .tuple(
      good,
      fc.oneof(
        { weight: 2, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...fields), anything, { maxKeys: 2 }) },
      ),
    )
    .map(([object, strange]) => ({ ...object, ...strange }))

const MESSAGE_FIELDS = ['type', 'event', 'name', 'anonymousId', 'userId', 'messageId', 'groupId', 'previousId']
const OPEN_FIELDS = ['timestamp', 'sentAt', 'properties', 'traits', 'context', 'integrations', 'constructor', 'more']

const message = usually(
  careless(
    fc.record(
      {
        type: fc.constantFrom('track', 'page', 'screen', 'identify'),
        event: fc.constantFrom('Product Viewed', 'é'),
        anonymousId: fc.constantFrom('v-1', 'v-2', 'user:v-1', 'ü'),
        messageId: fc.uuid(),
        timestamp: fc
          .date({ min: new Date('2012-01-01'), max: new Date('2026-01-01'), noInvalidDate: true })
          .map(date => date.toISOString()),
        properties: fc.record({ price: fc.double({ noNaN: true, noDefaultInfinity: true }), title: text }),
        context: fc.record({ page: fc.record({ url: fc.webUrl({ withQueryParameters: true }) }) }),
      },
      { requiredKeys: ['type', 'event', 'anonymousId', 'messageId'] },
    ),
    [...MESSAGE_FIELDS, ...OPEN_FIELDS],
  ),
  anything,
)

const batch = careless(
  fc.record({ writeKey: fc.constant('fuzz'), batch: fc.array(message, { minLength: 1, maxLength: 8 }) }),
  ['batch', 'batchId', 'sentAt', 'context', 'ledger', 'anonymousId', 'slots', 'batches', 'after', 'type', 'event'],
)

const headers = fc.record(
  {
    'content-type': fc.constantFrom('application/json', 'text/plain;charset=UTF-8', 'image/png', 'application/json; x'),
    'content-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'identity', 'x-gzip'),
    authorization: fc.constantFrom('Basic ZnV6ejo=', 'Basic !!', 'Basic ', 'Bearer x', 'basic ZnV6eg=='),
    origin: fc.constantFrom('null', 'https://shop.example', 'nonsense', ''),
    'x-forwarded-for': fc.constantFrom('203.0.113.7', 'nonsense', ',,,', '::1, 10.0.0.1'),
    'x-request-id': fc.constantFrom('r-1', 'x'.repeat(500), '{}'),
    'user-agent': fc.string().map(agent => agent.replace(/[^ -~]/g, '')),
  },
  { requiredKeys: [] },
)

const body = fc.oneof(
  { weight: 8, arbitrary: batch.map(value => Buffer.from(JSON.stringify(value))) },
  // A byte of a good body is another: broken UTF-8, broken JSON, another number.
  {
    weight: 2,
    arbitrary: fc.tuple(batch, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(value))
      bytes[at % bytes.length] = byte
      return bytes
    }),
  },
  { weight: 1, arbitrary: batch.map(value => gzipSync(JSON.stringify(value))) },
  {
    weight: 1,
    arbitrary: fc.tuple(batch, fc.nat()).map(([value, cut]) => {
      const bytes = gzipSync(JSON.stringify(value))
      return bytes.subarray(0, cut % bytes.length)
    }),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 2_000 }).map(bytes => Buffer.from(bytes)) },
)

const request = fc.record({
  route: usually(fc.constant('batch'), fc.constantFrom(...ROUTES)),
  query: usually(fc.constant(''), fc.constantFrom('?writeKey=fuzz', '?writeKey=%', '?writeKey=nobody', '?')),
  method: usually(fc.constant('POST'), fc.constantFrom('GET', 'PUT', 'OPTIONS', 'DELETE')),
  headers: usually(fc.constant({}), headers),
  body,
})
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value }
  return value
}

const REFUSALS = [204, 400, 401, 403, 404, 405, 413, 415]

interface Wanted {
  messageId: string
  visitors: string[]
}

/** What the stream must have; checked when all is sent. */
const wanted: Wanted[] = []
let sent = 0
let acceptedInAll = 0

async function send({ route, query, method, headers, body }: Request): Promise<void> {
  const response = await fetch(`${collector.url}/v1/${route}${query}`, {
    method,
    headers,
    ...(method !== 'GET' ? { body: new Uint8Array(body) } : {}),
  })
  const answer = await response.text()
  sent++
  expect([200, ...REFUSALS], answer).toContain(response.status)
  expect(answer).not.toMatch(/\bat \S+ \(|node:internal|\/dist\//)
  if (response.status !== 200 || !answer.startsWith('{"success":true')) return
  const { accepted, rejected } = JSON.parse(answer) as { accepted: number; rejected: { index: number }[] }
  acceptedInAll += accepted
  if (/^b/i.test(route)) note(body, new Set(rejected.map(({ index }) => index)))
}

/** An id as it is stored: no UTF-8 holds half a character. */
const mended = (id: unknown) => Buffer.from(String(id)).toString()

/** Remembers the accepted messages of a batch whose ids are ids, which are stored as they are. */
function note(body: Buffer, rejected: Set<number>): void {
  let parsed: { batch?: unknown }
  try {
    parsed = JSON.parse(body.toString())
  } catch {
    return
  }
  if (!Array.isArray(parsed.batch)) return
  for (const [index, raw] of parsed.batch.entries()) {
    if (rejected.has(index) || typeof raw?.messageId !== 'string' || !/^[\w-]{36}$/.test(raw.messageId)) continue
    if (/^[0-]+$/.test(raw.messageId)) continue
    wanted.push({ messageId: raw.messageId, visitors: [raw.anonymousId, raw.userId].map(mended) })
  }
}

async function memory(): Promise<number> {
  const metrics = await (await fetch(`${collector.url}/metrics`)).text()
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1])
}

/** Every id in the stream, with its visitors. */
async function stored(): Promise<{ count: number; ids: Map<string, string[]> }> {
  const ids = new Map<string, string[]>()
  let count = 0
  const { state } = await broker.nats.manager.streams.info('EVENTS')
  const consumer = await broker.nats.js.consumers.get('EVENTS', {})
  if (state.messages === 0) return { count, ids }
  for await (const entry of await consumer.consume()) {
    for (const { messageId, anonymousId, userId } of openEnvelope(entry.json<EventEnvelope>()).messages) {
      count++
      ids.set(messageId, [...(ids.get(messageId) ?? []), anonymousId ?? '', userId ?? ''])
    }
    if (entry.seq >= state.last_seq) break
  }
  return { count, ids }
}

describe('a collector that gets anything', () => {
  it(
    `answers ${REQUESTS} requests without a crash or a 500, and has what it accepted`,
    async () => {
      const run = (requests: number) =>
        fc.assert(
          fc.asyncProperty(fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE }), async requests => {
            await Promise.all(requests.map(send))
          }),
          { numRuns: Math.ceil(requests / AT_ONCE) },
        )
      // Code is compiled and pools are filled in the first part; what comes after must cost no more.
      fc.sample(request, 300)
      await run(REQUESTS / 3)
      const early = await memory()
      await run((REQUESTS * 2) / 3)
      expect(await memory()).toBeLessThan(early + 100 * MB)

      expect(sent).toBeGreaterThanOrEqual(REQUESTS)
      const { count, ids } = await stored()
      expect(wanted.length).toBeGreaterThan(REQUESTS / 5)
      const missing = wanted.filter(
        ({ messageId, visitors }) => !ids.get(messageId)?.some(visitor => visitors.includes(visitor)),
      )
      expect(missing).toEqual([])
      expect(count).toBeLessThanOrEqual(acceptedInAll)
    },
    REQUESTS * 100,
  )

  it('answers bytes that are no HTTP with 400 or lets go, and goes on', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 500 }),
      fc.string({ unit: 'binary' }).map(line => Buffer.from(`POST /v1/batch HTTP/1.1\r\n${line}\r\n\r\n`)),
      fc.string({ unit: 'binary' }).map(line => Buffer.from(`POST /v1/batch${line} HTTP/1.1\r\nHost: x\r\n\r\n`)),
      fc.nat().map(length => Buffer.from(`POST /v1/b HTTP/1.1\r\nHost: x\r\nContent-Length: -${length}\r\n\r\n{}`)),
      fc.constant(Buffer.from('POST /v1/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')),
    )
    const speak = (data: Uint8Array) =>
      new Promise<string>(resolve => {
        let heard = ''
        const socket = connect(collector.port, '127.0.0.1', () => socket.end(data))
        socket.on('data', chunk => {
          heard += chunk
        })
        socket.on('error', () => {})
        socket.once('close', () => resolve(heard))
      })
    await fc.assert(
      fc.asyncProperty(bytes, async data => {
        const heard = await speak(data)
        expect(heard === '' || /^HTTP\/1\.1 4\d\d /.test(heard), heard).toBe(true)
      }),
      { numRuns: Math.ceil(REQUESTS / 20) },
    )
    expect((await fetch(`${collector.url}/healthz`)).status).toBe(200)
    expect(await collector.end()).toBe(0)
  })
})
