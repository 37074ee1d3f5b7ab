import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { machineClock, openLoop } from '../support/open-loop.js'
import type { Poster } from '../support/poster.js'

/** One way to flood a collector by a public key. */
export interface Flood {
  name: string
  /** Makes ready what is sent, so that making it takes nothing from what is measured. Resolves to what sends it. */
  prepare(seconds: number): () => Promise<Map<number, number>>
}

const IDLE_CONNECTIONS = 1_000
/** Connections opened a second, until all are there. */
const OPENED_PER_SECOND = 250
/** Messages of the largest batch. */
const LARGEST = 5_000
/** Addresses that share the flood within the limits: together 1,500 new visitors a second of the site's 2,000. */
const ADDRESSES = 10
const VISITORS_PER_BATCH = 50
const BATCHES_PER_SECOND = 30

let visitors = 0

/** Returns a batch of messages, each of a visitor that never came before. */
function invented(count: number): Buffer {
  const batch = Array.from({ length: count }, () => ({
    type: 'track',
    event: 'E',
    anonymousId: `i${(visitors++).toString(36)}-${Math.random().toString(36).slice(2, 8)}`,
  }))
  return gzipSync(JSON.stringify({ batch }))
}

/** @param poster of a site that is flooded; @param url of the collector */
export function floodsOf(poster: Poster, url: string): Flood[] {
  const post = (body: Buffer, address: string) =>
    poster.postRaw('/v1/batch', body, { 'Content-Encoding': 'gzip', 'X-Forwarded-For': address })

  /** Sends bodies at a steady rate, and counts the answers by status. */
  const steadily = (bodies: Buffer[], perSecond: number, addressOf: (n: number) => string) => async () => {
    const answers = new Map<number, number>()
    await openLoop({ perSecond, seconds: bodies.length / perSecond }, async n => {
      const { status } = await post(bodies[n]!, addressOf(n))
      answers.set(status, (answers.get(status) ?? 0) + 1)
    })
    return answers
  }
  const times = (count: number, make: () => Buffer) => Array.from({ length: Math.round(count) }, make)

  return [
    {
      name: '2 requests/s of 5,000 invented visitors',
      prepare: seconds =>
        steadily(
          times(2 * seconds, () => invented(LARGEST)),
          2,
          () => '203.0.113.1',
        ),
    },
    {
      name: '10 requests/s of 5,000 rejected',
      prepare(seconds) {
        const body = gzipSync(JSON.stringify({ batch: new Array(LARGEST).fill(0) }))
        return steadily(
          times(10 * seconds, () => body),
          10,
          () => '203.0.113.2',
        )
      },
    },
    {
      name: `${IDLE_CONNECTIONS} idle connections, ${OPENED_PER_SECOND} opened a second`,
      prepare: seconds => () => holdIdle(url, seconds),
    },
    {
      name: `${BATCHES_PER_SECOND * VISITORS_PER_BATCH} new visitors/s within the limits`,
      prepare: seconds =>
        steadily(
          times(BATCHES_PER_SECOND * seconds, () => invented(VISITORS_PER_BATCH)),
          BATCHES_PER_SECOND,
          n => `203.0.113.${10 + (n % ADDRESSES)}`,
        ),
    },
  ]
}

/** Opens connections that announce a body and send none. */
async function holdIdle(url: string, seconds: number): Promise<Map<number, number>> {
  const port = Number(new URL(url).port)
  const head = 'POST /v1/batch HTTP/1.1\r\nHost: bench\r\nContent-Length: 500000\r\n\r\n'
  const answers = new Map<number, number>()
  const sockets: Socket[] = []
  const began = machineClock.now()
  await openLoop({ perSecond: OPENED_PER_SECOND, seconds: IDLE_CONNECTIONS / OPENED_PER_SECOND }, async () => {
    const socket = connect(port, '127.0.0.1', () => socket.write(head))
    socket.on('error', () => {})
    socket.on('data', chunk => {
      const status = Number(/^HTTP\/1.1 (\d+)/.exec(String(chunk))?.[1] ?? 0)
      if (status) answers.set(status, (answers.get(status) ?? 0) + 1)
    })
    sockets.push(socket)
  })
  await machineClock.sleep(Math.max(0, seconds * 1_000 - (machineClock.now() - began)))
  for (const socket of sockets) socket.destroy()
  return answers
}
