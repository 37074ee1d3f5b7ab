import { describe, expect, it } from 'vitest'
import { createClient } from '#sources/client.js'

interface Answer {
  status: number
  body?: unknown
  retryAfter?: string
}

/** A client whose server gives these answers, one after the other; `'lost'` is a connection that breaks. */
function clientWith(...answers: (Answer | 'lost')[]) {
  const requests: { url: string; method: string; authorization: string | null; body: string }[] = []
  const pauses: number[] = []
  const client = createClient({
    collector: 'http://collector.test',
    writeKey: 'key',
    adminToken: 'secret',
    random: () => 1,
    sleep: async ms => void pauses.push(ms),
    fetch: async (url, init) => {
      const authorization = new Headers(init?.headers).get('Authorization')
      requests.push({ url: String(url), method: init?.method ?? '', authorization, body: String(init?.body) })
      const answer = answers.shift()
      if (!answer || answer === 'lost') throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })
      return new Response(JSON.stringify(answer.body ?? {}), {
        status: answer.status,
        headers: answer.retryAfter ? { 'Retry-After': answer.retryAfter } : {},
      })
    },
  })
  return { client, requests, pauses }
}

const ACCEPTED = { success: true, accepted: 0, rejected: [] }
const BATCH = { batchId: 'b1', batch: [] }

describe('createClient', () => {
  it('sends the same batch again after 503, 429 and a lost connection, and waits as long as the server asks', async () => {
    const { client, requests, pauses } = clientWith(
      { status: 503, retryAfter: '4' },
      'lost',
      { status: 429 },
      { status: 200, body: ACCEPTED },
    )
    expect(await client.sendBatch(BATCH)).toEqual(ACCEPTED)
    expect(new Set(requests.map(request => request.body)).size).toBe(1)
    expect(requests).toHaveLength(4)
    expect(pauses).toEqual([4_000, 500, 1_000])
  })

  it('does not repeat what was rejected, and says what the server said', async () => {
    const error = { code: 'malformed', message: 'batch must be a list' }
    const { client, requests } = clientWith({ status: 400, body: { error } })
    await expect(client.sendBatch(BATCH)).rejects.toThrow(
      'POST http://collector.test/v1/batch was rejected: 400 malformed: batch must be a list',
    )
    expect(requests).toHaveLength(1)
  })

  it('sends the write key with batches and the token with admin calls; a wrong token is rejected at once', async () => {
    const { client, requests } = clientWith({ status: 200, body: ACCEPTED }, { status: 401 })
    await client.sendBatch(BATCH)
    await expect(client.listSites()).rejects.toThrow('was rejected: 401')
    expect(requests.map(request => request.authorization)).toEqual([`Basic ${btoa('key:')}`, 'Bearer secret'])
  })

  it('waits for collectors that have not heard of the new site and its key', async () => {
    const { client, requests } = clientWith(
      { status: 404 },
      { status: 200, body: { imported: 0, rejected: [] } },
      { status: 401 },
      { status: 200, body: ACCEPTED },
    )
    await client.importDecisions('open-bandit', [])
    await client.sendBatch(BATCH)
    expect(requests).toHaveLength(4)
  })

  it('says that nobody answers, and where', async () => {
    const { client } = clientWith()
    await expect(client.sendBatch(BATCH)).rejects.toThrow(/collector\.test.*no answer \(ECONNREFUSED\).*npm start/)
  })
})
