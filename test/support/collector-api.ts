import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Collector, createCollector } from '@slotstream/collector'
import { type BatchAnswer, type EventEnvelope, openEnvelope, type SlotsAnswer } from '@slotstream/protocol'
import { connectNats, type Installation, type Nats, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { startNatsServer } from './nats-server.js'
import { quietLog } from './quiet-log.js'
import { until } from './until.js'
import { WITHOUT_LIMITS } from './without-limits.js'

export const log = quietLog()
/** Headers of the administrator. */
export const ADMIN = { Authorization: 'Bearer secret' }
/** Time that the collector waits for decisions, in milliseconds. */
export const DECIDE_TIMEOUT_MS = 400

export let broker: Awaited<ReturnType<typeof startNatsServer>>
export let nats: Nats
export let installation: Installation
let collector: Collector
export let url: string
let folder: string

/**
 * Starts a nats-server and a collector for the tests of a file, and notes before each test what the streams have. The
 * exported variables are set from then on.
 */
export function withCollector(): void {
  beforeAll(async () => {
    broker = await startNatsServer()
    nats = await connectNats(broker.url, 'test', log)
    installation = await provision(nats, sharedSettings({ NATS_URL: broker.url, PARTITIONS: '8' }), log)
    folder = await mkdtemp(join(tmpdir(), 'slotstream-collector-'))
    await writeFile(join(folder, 'index.html'), '<h1>demo</h1>')
    await writeFile(join(folder, 'some-part.js'), 'export {}')
    await writeFile(join(folder, 'some-part.js.map'), '{}')
    await writeFile(join(folder, 'sdk.js'), `window.slotstream = {}\n${'// filler\n'.repeat(500)}`)
    collector = createCollector({
      nats,
      installation,
      adminToken: 'secret',
      demoDir: folder,
      sdkFile: join(folder, 'sdk.js'),
      log,
      decideTimeoutMs: DECIDE_TIMEOUT_MS,
      settings: WITHOUT_LIMITS,
    })
    url = `http://127.0.0.1:${await collector.listen(0, '127.0.0.1')}`
    await until(
      'ready',
      () => fetch(`${url}/readyz`),
      response => response.ok,
    )
    await admin('PUT', '/sites/shop', { writeKeys: ['shop'], allowedOrigins: ['*'], debug: true })
    await admin('PUT', '/sites/strict', { writeKeys: ['strict'], allowedOrigins: ['https://strict.example'] })
  })

  afterAll(async () => {
    await collector?.stop()
    await nats?.close()
    await broker?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  beforeEach(async () => {
    for (const stream of ['EVENTS', 'REJECTED', 'DECISIONS'])
      began.set(stream, (await nats.manager.streams.info(stream)).state.last_seq)
  })
}

/** Calls a route of the administrator. */
export async function admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(`${url}/v1/admin${path}`, { method, headers: ADMIN, ...init })
  return { status: response.status, body: await response.json() }
}

/** Any answer of the routes of visitors. */
export type Answer = BatchAnswer & SlotsAnswer & { error: { code: string; message: string; details?: string[] } }

/** Posts a body, as it is or as JSON, to a route of visitors. */
export async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: raw ? (body as string) : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}

let ids = 0
/** Returns an id that no other test of the file has. */
export const newId = (prefix = 'id') => `${prefix}-${++ids}`
/** Returns a message with a new id. */
export const track = (anonymousId: string, rest: object = {}) => ({
  type: 'track',
  event: 'E',
  messageId: newId('m'),
  anonymousId,
  ...rest,
})

/** Last sequence of each stream when the running test began. */
export const began = new Map<string, number>()

/** Reads what a stream got in the running test. */
export async function streamOf<T>(stream: 'EVENTS' | 'REJECTED' | 'DECISIONS'): Promise<(T & { seq: number })[]> {
  const { state } = await nats.manager.streams.info(stream)
  const stored: (T & { seq: number })[] = []
  for (let seq = began.get(stream)! + 1; seq <= state.last_seq; seq++) {
    const message = await nats.manager.streams.getMessage(stream, { seq })
    if (message) stored.push({ ...(openEnvelope(message.json<EventEnvelope>()) as T), seq })
  }
  return stored
}

/** Reads the envelopes of a visitor that the stream of events got in the running test. */
export async function eventsOf(visitorId: string) {
  const envelopes = await streamOf<EventEnvelope>('EVENTS')
  return envelopes.filter(envelope => envelope.visitorId === visitorId)
}

/** Returns the ids of the messages in envelopes. */
export const idsOf = (envelopes: EventEnvelope[]) => envelopes.flatMap(({ messages }) => messages.map(m => m.messageId))
