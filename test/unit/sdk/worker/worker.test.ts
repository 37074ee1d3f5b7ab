import { IDBFactory } from 'fake-indexeddb'
import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { openIndexedTables } from '#sdk/delivery/database/indexed-tables.js'
import { deliverRest } from '#sdk/worker/deliver-rest.js'
import { restOf, syncTag } from '#sdk/worker/sync-tag.js'
import { fullStore } from '../harness.js'

const rest = { writeKey: 'demo', endpoint: 'https://c.example', maxBatchBytes: 60_000, maxQueueAge: 86_400_000 }

const id = (n: number) => `01990000-0000-7000-8000-00000000000${n}`

const chunk = (...numbers: number[]) => ({
  key: id(numbers[0] as number),
  visitor: 'v',
  texts: numbers.map(n => `{"messageId":"${id(n)}","context":{"n":${n}}}`),
  from: 0,
  bytes: 100 * numbers.length,
  at: Date.now(),
})

const open = () => openIndexedTables('slotstream-demo', () => {})

/** What a page left, and a collector. */
async function left() {
  const connection = await open()
  await fullStore(connection.transact).add([chunk(1, 2), chunk(3)], {}, 0)
  connection.close()
  const sent: number[][] = []
  const collector = { answer: (_n: number[]): Response => Response.json({ success: true, accepted: 3, rejected: [] }) }
  vi.stubGlobal('fetch', async (_url: string, { body }: { body: string }) => {
    const numbers = JSON.parse(body).batch.map((message: { context: { n: number } }) => message.context.n)
    sent.push(numbers)
    return collector.answer(numbers)
  })
  return { sent, collector }
}

const state = async () => {
  const connection = await open()
  const store = fullStore(connection.transact)
  await store.trim(0, Infinity)
  connection.close()
  return store.known()
}

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
  vi.stubGlobal('navigator', { locks: { request: (_name: string, run: () => unknown) => run() } })
})

describe('the tag of a sync', () => {
  it('carries what the worker needs, and nothing else of the options', () => {
    expect(restOf(syncTag({ ...rest, debug: true } as typeof rest))).toEqual(rest)
  })

  it.each(['other', '', 'slotstream {', 'slotstreams {}'])('that is somebody else\'s, "%s", is passed over', tag => {
    expect(restOf(tag)).toBeUndefined()
  })
})

describe('the worker', () => {
  it('sends what is left as one batch, and takes it out', async () => {
    const { sent } = await left()
    await deliverRest(rest)
    await deliverRest(rest)
    expect(sent).toEqual([[1, 2, 3]])
    expect(await state()).toMatchObject({ waiting: 0, ledger: { captured: 3, sent: 3, acknowledged: 3 } })
  })

  it('leaves what the collector cannot take now, and lets the browser try again', async () => {
    const { sent, collector } = await left()
    collector.answer = () => new Response('', { status: 503 })
    await expect(deliverRest(rest)).rejects.toThrow('http_503')
    expect(await state()).toMatchObject({ waiting: 3, ledger: { acknowledged: 0, dropped: {} } })
    collector.answer = () => Response.json({ success: true, accepted: 3, rejected: [] })
    await deliverRest(rest)
    expect(sent).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('halves what is too large, and counts what is rejected for good', async () => {
    const { sent, collector } = await left()
    collector.answer = numbers =>
      numbers.length > 2
        ? new Response('', { status: 413 })
        : numbers.includes(3)
          ? new Response('', { status: 400 })
          : Response.json({ success: true, accepted: 2, rejected: [] })
    await deliverRest(rest)
    expect(sent).toEqual([[1, 2, 3], [1, 2], [3]])
    expect(await state()).toMatchObject({ waiting: 0, ledger: { acknowledged: 2, dropped: { http_400: 1 } } })
  })

  it('makes no queue where there is none', async () => {
    await deliverRest(rest)
    expect(await indexedDB.databases()).toEqual([])
  })
})
