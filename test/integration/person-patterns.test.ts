import { type EventEnvelope, openEnvelope, partitionOf, type SignalEnvelope, visitorIdOf } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { ADMIN_TOKEN, putSite, readAll, startBroker } from '../support/collector.js'
import { until } from '../support/until.js'

const SITE = 'shop'

/** Time without an order after which a cart is left, in the pattern that this test declares. */
const WITHIN = '10s'

describe('patterns of persons', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>
  let collector: string
  const running = new Map<string, Aggregator>()
  let messages = 0

  beforeAll(async () => {
    broker = await startBroker({ PARTITIONS: '8' })
    collector = await broker.collector()
    await putSite(collector, SITE)
    const response = await fetch(`${collector}/v1/admin/sites/${SITE}/patterns`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({
        patterns: [
          {
            name: 'left',
            sequence: [
              { event: 'Product Added', key: 'properties.cart_id' },
              { not: { event: 'Order Completed', key: 'properties.cart_id' }, within: WITHIN },
            ],
          },
        ],
      }),
    })
    expect(response.status).toBe(200)
    await Promise.all(['one', 'two'].map(start))
  })
  afterAll(async () => {
    await Promise.all([...running.values()].map(each => each.end('SIGKILL')))
    await broker?.stop()
  })

  async function start(name: string): Promise<void> {
    const env = { NATS_URL: broker.url, AGGREGATOR_NAME: name, ROLES: 'profiles' }
    const started = await startAggregator(env)
    running.set(name, started)
    await until(
      'it has partitions',
      () => started.share('profiles'),
      held => (held ?? 0) > 0,
    )
  }

  async function send(ids: { anonymousId?: string; userId?: string }, event: string, cart = 'c1'): Promise<void> {
    const message = { messageId: `m${++messages}`, type: 'track', event, ...ids, properties: { cart_id: cart } }
    const response = await fetch(`${collector}/v1/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ writeKey: SITE, batch: [message] }),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).not.toHaveProperty('rejected.0')
  }

  const envelopes = async () =>
    (await readAll<EventEnvelope>(broker.nats, 'EVENTS')).map(each => openEnvelope(each as never))
  /** Events that visitors were told of, each as `visitor: event id`. */
  const told = async () =>
    (await envelopes()).flatMap(({ visitorId, hearsay }) =>
      (hearsay?.messages ?? []).map(({ event, messageId }) => `${visitorId}: ${event} ${messageId}`),
    )
  const toldAtLast = (...expected: string[]) =>
    until(`${expected} is told`, told, all => expected.every(one => all.some(each => each.startsWith(one))))
  const left = async () =>
    (await readAll<SignalEnvelope>(broker.nats, 'SIGNALS')).flatMap(({ signals }) =>
      signals.flatMap(({ signal, anonymousId, details }) =>
        signal === 'left' ? `${anonymousId} ${details.key}${details.retracted ? ' retracted' : ''}` : [],
      ),
    )

  it('are found in what all browsers and servers of a user send', async () => {
    for (const user of ['ann', 'ben', 'cleo', 'dora']) {
      await send({ anonymousId: `${user}-phone`, userId: user }, 'Seen')
      await send({ anonymousId: `${user}-laptop`, userId: user }, 'Seen')
    }
    await until(
      'all browsers are known to their users',
      envelopes,
      all => all.filter(({ identity }) => identity).length === 8,
    )
    // The order comes from a server, from another browser, from one of another person, and not at all.
    await send({ anonymousId: 'ann-phone', userId: 'ann' }, 'Product Added')
    await send({ userId: 'ann' }, 'Order Completed')
    await send({ anonymousId: 'ben-phone', userId: 'ben' }, 'Product Added')
    await send({ anonymousId: 'ben-laptop' }, 'Order Completed')
    await send({ anonymousId: 'cleo-phone', userId: 'cleo' }, 'Product Added')
    await send({ anonymousId: 'eve-laptop' }, 'Order Completed')
    await send({ anonymousId: 'dora-laptop', userId: 'dora' }, 'Product Added')
    await toldAtLast('ann-phone: Order Completed', 'ben-phone: Order Completed', 'dora-phone: Product Added')
    const expected = ['cleo-phone c1', 'dora-laptop c1']
    await until('two carts are left', left, all => expected.every(one => all.includes(one)))
    // Later than all carts before, so what is to be found of them was found by now.
    await send({ anonymousId: 'ann-laptop', userId: 'ann' }, 'Product Added', 'c2')
    const all = await until('the last cart is left', left, all => all.includes('ann-laptop c2'))
    expect(all.sort()).toEqual(['ann-laptop c2', ...expected])
  })

  it('are found through an owner that ends at once', async () => {
    await send({ anonymousId: 'ben-phone', userId: 'ben' }, 'Product Added', 'c3')
    await send({ anonymousId: 'ben-laptop', userId: 'ben' }, 'Order Completed', 'c3')
    await send({ userId: 'dora' }, 'Product Added', 'c3')
    await send({ anonymousId: 'dora-phone', userId: 'dora' }, 'Order Completed', 'c3')
    await send({ anonymousId: 'cleo-phone', userId: 'cleo' }, 'Product Added', 'c3')
    const [name, first] = [...running][0]!
    await first.end('SIGKILL')
    running.delete(name)
    const isWrong = (one: string) => one.endsWith(' c3') && one !== 'cleo-phone c3'
    const all = await until('the cart is left', left, all => all.includes('cleo-phone c3'))
    // A cart whose order was told too late was left, and then it was not.
    for (const one of all.filter(isWrong))
      await until(`${one} is retracted`, left, all => all.includes(`${one} retracted`))
    expect(all.filter(one => one === 'cleo-phone c3')).toHaveLength(1)
  })

  it('tell each visitor once, and nothing at which no pattern looks', async () => {
    const all = await told()
    expect(new Set(all).size).toBe(all.length)
    expect(all.filter(one => !/Product Added|Order Completed/.test(one))).toEqual([])
    const { partitions } = broker.installation
    const places = ['ann', 'ben', 'cleo', 'dora'].map(user =>
      ['phone', 'laptop']
        .map(browser => partitionOf(SITE, `${user}-${browser}`, partitions))
        .concat(partitionOf(SITE, visitorIdOf({ userId: user }), partitions)),
    )
    expect(places.some(of => new Set(of).size === 3)).toBe(true)
  })
})
