import type { BatchAnswer, EventEnvelope, RejectedEnvelope } from '@slotstream/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { putSite, readAll, startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

let broker: Awaited<ReturnType<typeof startBroker>>
/** Two collectors that know of each other by their buckets only. */
let [one, other]: string[] = []

beforeAll(async () => {
  broker = await startBroker()
  one = await broker.collector()
  other = await broker.collector()
  await putSite(one, 'shop')
  await until(
    'the other collector knows the site',
    () => send(other!, [track({})]),
    answer => answer.success,
  )
})
afterAll(() => broker?.stop())
beforeEach(async () => {
  await admin('DELETE', '/plan')
  await until(
    'both are without a plan',
    () => Promise.all([one!, other!].map(revisionIn)),
    ([a, b]) => !a && !b,
  )
})

async function admin(method: string, path: string, body?: object, url = one!) {
  const response = await fetch(`${url}/v1/admin/sites/shop${path}`, {
    method,
    headers: { Authorization: 'Bearer secret' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const answer = (await response.json()) as {
    revision: number
    error: { code: string; message: string; details?: string[] }
  }
  return { status: response.status, ...answer }
}

let ids = 0
function track(properties: object, rest: object = {}) {
  const message = { type: 'track', event: 'Product Viewed', anonymousId: 'v1', messageId: `m-${++ids}` }
  return { ...message, properties, ...rest }
}

async function send(url: string, batch: object[]): Promise<BatchAnswer> {
  const response = await fetch(`${url}/v1/batch?writeKey=shop`, { method: 'POST', body: JSON.stringify({ batch }) })
  return (await response.json()) as BatchAnswer
}

async function metric(url: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find(candidate => candidate.startsWith(`slotstream_${name} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

/** Revision of the plan that a collector uses. */
const revisionIn = (url: string) => metric(url, 'site_plan_revision{site="shop"}')

async function inBoth(revision: number): Promise<void> {
  await until(
    `both use revision ${revision}`,
    () => Promise.all([one!, other!].map(revisionIn)),
    revisions => revisions.every(used => used === revision),
  )
}

const PRICED = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] }

describe('the mode of a tracking plan', () => {
  it('enforce rejects what breaks it: told to the client, kept with its place, counted', async () => {
    const { revision } = await admin('PUT', '/plan', {
      mode: 'enforce',
      schemas: { 'Product Viewed': { '1-0-0': PRICED } },
    })
    await inBoth(revision)
    for (const url of [one!, other!]) {
      const before = (await metric(url, 'site_messages_rejected_total{site="shop",code="schema_violation"}')) ?? 0
      const stored = (await readAll(broker.nats, 'REJECTED')).length
      const [good, bad] = [track({ price: 3 }), track({ price: '3' })]
      expect(await send(url, [good, bad])).toMatchObject({
        accepted: 1,
        rejected: [
          {
            messageId: bad.messageId,
            index: 1,
            code: 'schema_violation',
            reason: 'properties.price must be number, not string (Product Viewed, schema 1-0-0)',
            path: '$.properties.price',
            schemaVersion: '1-0-0',
          },
        ],
      })
      const rejected = (await readAll<RejectedEnvelope>(broker.nats, 'REJECTED')).slice(stored)
      expect(rejected).toMatchObject([
        {
          siteId: 'shop',
          rejected: [{ messageId: bad.messageId, path: '$.properties.price', schemaVersion: '1-0-0' }],
        },
      ])
      expect(JSON.parse(rejected[0]!.rejected[0]!.payload)).toEqual(bad)
      expect(await metric(url, 'site_messages_rejected_total{site="shop",code="schema_violation"}')).toBe(before + 1)
    }
  })

  it('warn stores it with what is wrong, and off looks at nothing', async () => {
    await admin('PUT', '/plan', { mode: 'warn', schemas: { 'Product Viewed': { '1-0-0': PRICED } } })
    const [bad, claims] = [track({}), track({ price: 1 }, { context: { violation: 'mine' } })]
    const answer = await send(one!, [bad, claims])
    expect(answer).toMatchObject({ accepted: 2, rejected: [], violations: [{ messageId: bad.messageId, index: 0 }] })
    expect(await metric(one!, 'site_plan_violations_total{site="shop",code="schema_violation"}')).toBeGreaterThan(0)
    const stored = async () =>
      (await readAll<EventEnvelope>(broker.nats))
        .flatMap(({ messages }) => messages)
        .map(message => [message.messageId, message.context?.violation])
    expect(await stored()).toContainEqual([
      bad.messageId,
      {
        code: 'schema_violation',
        reason: 'properties.price is missing (Product Viewed, schema 1-0-0)',
        path: '$.properties.price',
        schemaVersion: '1-0-0',
      },
    ])
    expect(await stored()).toContainEqual([claims.messageId, undefined])

    await admin('PUT', '/plan/mode', { mode: 'off' })
    const unseen = track({})
    expect(await send(one!, [unseen])).toEqual({
      success: true,
      accepted: 1,
      rejected: [],
      position: expect.any(Number),
    })
    expect(await stored()).toContainEqual([unseen.messageId, undefined])
  })

  it('is known to a collector before it takes the first message', async () => {
    await admin('PUT', '/plan', { mode: 'enforce', schemas: { 'Product Viewed': { '1-0-0': PRICED } } })
    const program = await broker.program()
    expect(await send(program.url, [track({})])).toMatchObject({ accepted: 0 })
    await program.end()
  })
})

describe('a change of a tracking plan', () => {
  it('under load rejects not one good message, and lets not one bad pass', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`Event ${i}`, { '1-0-0': { ...PRICED, title: `${i}` } }]),
    )
    const plan = (n: number) => ({
      mode: 'enforce',
      force: true,
      schemas: { 'Product Viewed': { '1-0-0': { ...PRICED, title: `plan ${n}` } }, ...(n % 2 ? many : {}) },
    })
    await inBoth((await admin('PUT', '/plan', plan(0))).revision)
    let changing = true
    const [sent, wrong]: [number[], BatchAnswer[]] = [[0, 0], []]
    const senders = [one!, other!].map(async (url, index) => {
      while (changing) {
        const bad = track({ price: 'free' })
        const answer = await send(url, [track({ price: 1 }), bad, track({ price: 2 })])
        sent[index]!++
        if (answer.accepted !== 2 || answer.rejected[0]?.messageId !== bad.messageId) wrong.push(answer)
      }
    })
    for (let n = 1; n <= 12; n++) {
      const { revision } = await admin('PUT', '/plan', plan(n), n % 3 ? one! : other!)
      await inBoth(revision)
      const reached = [...sent]
      await until(
        'both go on',
        async () => sent,
        now => now.every((count, index) => count > reached[index]!),
      )
    }
    changing = false
    await Promise.all(senders)
    expect(wrong).toEqual([])
  })

  it('that does not compile is rejected with where and why, and the plan before stays', async () => {
    const good = await admin('PUT', '/plan', { mode: 'enforce', schemas: { 'Product Viewed': { '1-0-0': PRICED } } })
    const broken = { type: 'object', properties: { price: { type: 'nmber' } } }
    const answer = await admin('PUT', '/plan', {
      mode: 'off',
      schemas: { 'Product Viewed': { '1-0-0': PRICED, '1-0-1': broken }, Other: { '1-0-0': { wants: 'x' } } },
    })
    expect(answer.status).toBe(400)
    expect(answer.error.message).toContain('nothing was stored')
    expect(answer.error.details).toEqual([
      expect.stringContaining('Product Viewed 1-0-1: /properties/price/type must be one of'),
      expect.stringContaining('Other 1-0-0: strict mode: unknown keyword: "wants"'),
    ])
    for (const [schemas, why] of [
      [undefined, 'schemas must be an object'],
      [{ A: { '1.0.0': {} } }, 'A: "1.0.0" is no version'],
      [{ A: { '1-0-0': 'x' } }, 'A 1-0-0: a schema must be a JSON object'],
      [{ '@alias': { '1-0-0': {} } }, '"@alias" is no call that can be planned'],
      [{ A: { '1-0-0': { title: 'x'.repeat(70_000) } } }, '65536 are allowed'],
    ])
      expect(await admin('PUT', '/plan', { schemas } as object)).toMatchObject({
        status: 400,
        error: { code: 'malformed', message: expect.stringContaining(why as string) },
      })
    expect(await admin('PUT', '/plan/mode', { mode: 'on' })).toMatchObject({ status: 400 })
    expect(await admin('GET', '/plan')).toMatchObject({ revision: good.revision, mode: 'enforce' })
    expect(await send(one!, [track({})])).toMatchObject({ accepted: 0 })
  })

  it('does not rewrite a published version, nor what somebody else changed meanwhile', async () => {
    const first = await admin('PUT', '/plan', { schemas: { A: { '1-0-0': PRICED } } })
    const rewritten = { schemas: { A: { '1-0-0': { type: 'object' } } } }
    expect(await admin('PUT', '/plan', rewritten)).toMatchObject({
      status: 409,
      error: { code: 'conflict', message: expect.stringContaining('A 1-0-0 is published with other content') },
    })
    const second = await admin('PUT', '/plan', { ...rewritten, force: true })
    expect(second).toMatchObject({ status: 200, mode: 'off' })
    expect(await admin('PUT', '/plan', { schemas: {}, revision: first.revision })).toMatchObject({
      status: 409,
      error: { message: expect.stringContaining(`its revision is ${second.revision}`) },
    })
    const both = await Promise.all([1, 2].map(n => admin('PUT', '/plan/mode', { mode: n === 1 ? 'warn' : 'enforce' })))
    const lost = both.filter(({ status }) => status === 409)
    expect(lost.length).toBeLessThan(2)
    expect(await admin('PUT', '/plan/mode', {})).toMatchObject({ status: 400 })
  })
})
