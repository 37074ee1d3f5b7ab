import { BUCKETS, bucketStream, parseDeliveryEnvelope, partitionOf } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { deliveryIdOf } from '#aggregator/webhooks/send/delivery-id.js'
import { putSite } from '../support/collector.js'
import { until } from '../support/until.js'
import { idsOf, PARTITIONS, withWebhooks } from '../support/webhook-world.js'

const { world, start, admin, declare, signalled, untilTaken, deliveries, recorded } = withWebhooks()

describe('a webhook', () => {
  it('gets each signal from its declaration on, signed, and the attempts are records', async () => {
    await signalled('early')
    await start()
    const { id, secret, status } = await declare()
    expect([status, secret]).toEqual([200, expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)])
    const ids = await signalled('v1', 1, { userId: 'anna' })
    const [got] = await untilTaken(1)
    const { headers, body } = got!
    expect(world.receiver.verify(got!, secret)).toEqual(body)
    expect(() => world.receiver.verify({ ...got!, text: `${got!.text} ` }, secret)).toThrow()
    expect(headers).toMatchObject({ 'webhook-id': deliveryIdOf(id, ids[0]!), 'content-type': 'application/json' })
    expect(body).toEqual({
      type: 'left-cart',
      timestamp: expect.any(String),
      data: {
        ...{
          signalId: ids[0],
          siteId: world.site,
          anonymousId: 'v1',
          userId: 'anna',
          personId: 'anna',
          sessionId: 's1',
        },
        details: { cart: expect.any(String) },
      },
    })
    const [record] = await until(
      'the record',
      () => recorded(id),
      found => found.length > 0,
    )
    expect(record).toMatchObject({ signalId: ids[0], attempt: 1, outcome: 'delivered', status: 204, error: '' })
    const envelope = { siteId: world.site, visitorId: 'v1', receivedAt: record!.attemptedAt, deliveries: [record] }
    expect(parseDeliveryEnvelope(envelope)).toMatchObject({ ok: true })
    expect(await deliveries(id)).toEqual([
      {
        ...{ deliveryId: deliveryIdOf(id, ids[0]!), signalId: ids[0], signal: 'left-cart', state: 'delivered' },
        ...{ attempts: 1, status: 204, error: null, at: expect.any(String) },
      },
    ])
    expect(world.receiver.received).toHaveLength(1)
  })

  it('gets the signals that it names, and one of another site none', async () => {
    await start()
    await admin('PUT', '/patterns', { patterns: [{ name: 'bought', sequence: [{ event: 'Order Completed' }] }] })
    const named = await declare({ url: `${world.receiver.url}/named`, signals: ['bought'] })
    expect(await declare({ signals: ['bouht'] })).toMatchObject({
      status: 400,
      error: { details: ['signals[0]: there is no signal "bouht": did you mean "bought"?'] },
    })
    await declare({ url: `${world.receiver.url}/all` })
    const [own] = [world.site]
    world.site = `${own}-other`
    await putSite(world.collector, world.site)
    await declare({ url: `${world.receiver.url}/other` })
    world.site = own!
    const [left] = await signalled('v1')
    const [bought] = await signalled('v1', 1, { signal: 'bought' })
    await untilTaken(2, '/all')
    expect(idsOf(await untilTaken(1, '/named'))).toEqual([bought])
    expect(idsOf(world.receiver.taken('/all'))).toEqual([left, bought])
    expect(world.receiver.taken('/other')).toEqual([])
    const [first, second] = world.receiver.received.filter(({ body }) => body.data.signalId === bought)
    expect(first!.headers['webhook-id']).not.toBe(second!.headers['webhook-id'])
    expect((await deliveries(named.id)).map(({ signalId }) => signalId)).toEqual([bought])
  })

  it('that fails at first gets each signal with one id, those of a visitor in order, none held up by another', async () => {
    await start()
    const { secret } = await declare()
    // Every third request fails, and all of one visitor for a while.
    let requests = 0
    let isDown = true
    world.receiver.answer = ({ body }) => {
      if (body.data.anonymousId === 'down' && isDown) return 503
      return ++requests % 3 === 0 ? { status: 500, body: 'x'.repeat(100_000) } : 200
    }
    const down = await signalled('down', 3)
    const others = new Map<string, string[]>()
    for (let n = 0; n < 6; n++) others.set(`v${n}`, await signalled(`v${n}`, 5))
    await untilTaken(30)
    isDown = false
    const taken = await untilTaken(33)
    const firstTimes = (visitor: string) => [
      ...new Set(idsOf(taken.filter(({ body }) => body.data.anonymousId === visitor))),
    ]
    expect(firstTimes('down')).toEqual(down)
    for (const [visitor, ids] of others) expect(firstTimes(visitor)).toEqual(ids)
    const idsBySignal = new Map<string, Set<unknown>>()
    for (const got of world.receiver.received) {
      world.receiver.verify(got, secret)
      const { signalId } = got.body.data
      idsBySignal.set(signalId, (idsBySignal.get(signalId) ?? new Set()).add(got.headers['webhook-id']))
    }
    expect([...idsBySignal.values()].filter(ids => ids.size !== 1)).toEqual([])
  })

  it('that has no room for more holds up no other one, and gets the rest from the stream', async () => {
    await start({ maxPending: PARTITIONS * 3 })
    world.receiver.answer = ({ path }) => (path === '/down' ? 500 : 200)
    await declare({ url: `${world.receiver.url}/down` })
    await declare({ url: `${world.receiver.url}/up` })
    const ids = await signalled('v1', 20)
    expect(idsOf(await untilTaken(20, '/up'))).toEqual(ids)
    const stored = await world.broker.installation.buckets.positions
    const held = await until(
      'the position',
      async () => {
        const keys: string[] = []
        for await (const key of await stored.keys(`webhooks.${partitionOf(world.site, 'v1', PARTITIONS)}.*`))
          keys.push(key)
        const all = await Promise.all(keys.map(async key => (await stored.get(key))?.json<{ pending: object[] }>()))
        return all.map(position => position?.pending.length ?? 0)
      },
      pending => pending.includes(3),
    )
    expect(Math.max(...held)).toBe(3)
    world.receiver.answer = () => 200
    expect(idsOf(await untilTaken(20, '/down'))).toEqual(ids)
  })

  it('goes with its site', async () => {
    const { id } = await declare()
    await admin('DELETE', '')
    await putSite(world.collector, world.site)
    expect(await admin('GET', '/webhooks')).toEqual({ status: 200, webhooks: [] })
    expect((await admin('GET', `/webhooks/${id}/deliveries`)).status).toBe(404)
  })

  it('is deleted with what waits for it', async () => {
    await start()
    world.receiver.answer = () => 500
    const { id } = await declare()
    await signalled('v1', 2)
    await until(
      'an attempt',
      () => world.receiver.received.length,
      count => count > 0,
    )
    expect(await deliveries(id)).toMatchObject([{ state: 'pending', error: 'status_500' }, { state: 'pending' }])
    expect((await admin<{ webhooks: object[] }>('GET', '/webhooks')).webhooks).toEqual([
      { id, url: `${world.receiver.url}/hook`, signals: [], createdAt: expect.any(String) },
    ])
    expect(await admin('DELETE', `/webhooks/${id}`)).toEqual({ status: 200, deleted: true })
    for (const [method, path] of [
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/replay'],
    ] as const)
      expect((await admin(method, `/webhooks/${id}${path}`)).status).toBe(404)
    const left = async () => {
      const keys: string[] = []
      for await (const key of await world.broker.installation.buckets.positions.keys('webhooks.*.*')) keys.push(key)
      return keys.filter(key => key.endsWith(id))
    }
    await until('no position', left, keys => keys.length === 0)
    const attempts = world.receiver.received.length
    world.receiver.answer = () => 200
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(world.receiver.received.length).toBe(attempts)
  })
})

describe('a signal that a webhook does not take', () => {
  it('becomes a dead letter, which later ones do not wait for, and is delivered by a replay', async () => {
    const role = await start({ giveUpMs: 100 })
    const { id } = await declare()
    world.receiver.answer = ({ body }) => (body.data.anonymousId === 'v1' ? { status: 500 } : 200)
    const [first, second] = await signalled('v1', 2)
    await signalled('v2')
    const dead = await until(
      'two letters',
      () => deliveries(id),
      found => found.filter(({ state }) => state === 'dead').length === 2,
    )
    expect(dead.find(({ signalId }) => signalId === first)).toMatchObject({ status: 500, error: 'status_500' })
    expect((await recorded(id)).filter(({ outcome }) => outcome === 'dead').map(({ signalId }) => signalId)).toEqual([
      first,
      second,
    ])
    const letters = async () =>
      (await world.broker.nats.manager.streams.info(bucketStream(BUCKETS.webhookLetters))).state.messages
    expect(await letters()).toBe(2)
    const metrics = await until(
      'the metric',
      () => role.metrics.registry.metrics(),
      text => text.includes('slotstream_webhook_dead_letters 2'),
    )
    expect(metrics).toContain('slotstream_webhook_deliveries_total{outcome="dead"} 2')

    world.receiver.answer = () => 200
    // One of them, after another process has taken over.
    await role.stop()
    await start()
    await until(
      'it tells of both',
      () => deliveries(id),
      found => found.length === 2,
    )
    expect(await admin('POST', `/webhooks/${id}/replay`, { signalId: second })).toMatchObject({ replayed: 1, left: 1 })
    await until(
      'the second',
      () => idsOf(world.receiver.taken()),
      ids => ids.includes(second!),
    )
    expect(await admin('POST', `/webhooks/${id}/replay`, {})).toMatchObject({ replayed: 1, left: 0 })
    await until(
      'the first',
      () => idsOf(world.receiver.taken()),
      ids => ids.includes(first!),
    )
    await until('no letters', letters, count => count === 0)
    expect(
      new Set(
        world.receiver.received
          .filter(({ body }) => body.data.signalId === first)
          .map(({ headers }) => headers['webhook-id']),
      ).size,
    ).toBe(1)
    // One that was delivered, once more.
    expect(await admin('POST', `/webhooks/${id}/replay`, { signalId: first })).toMatchObject({ replayed: 1 })
    await until(
      'again',
      () => idsOf(world.receiver.taken()).filter(signalId => signalId === first),
      ids => ids.length === 2,
    )
    expect((await admin('POST', `/webhooks/${id}/replay`, { signalId: 'none' })).status).toBe(404)
    expect((await admin('POST', `/webhooks/${id}/replay`, { signalid: 'none' })).status).toBe(400)
  })

  it('waits on where there is no room for a dead letter', async () => {
    await start({ giveUpMs: 50, maxLetters: PARTITIONS })
    const { id } = await declare()
    world.receiver.answer = () => 500
    const ids = await signalled('v1', 3)
    await until(
      'a letter',
      () => deliveries(id),
      found => found.some(({ state, signalId }) => state === 'dead' && signalId === ids[0]),
    )
    await until(
      'attempts at the second',
      () => idsOf(world.receiver.received).filter(signalId => signalId === ids[1]).length,
      count => count > 4,
    )
    world.receiver.answer = () => 200
    await until(
      'the others',
      () => idsOf(world.receiver.taken()),
      taken => taken.join() === ids.slice(1).join(),
    )
  })
})
