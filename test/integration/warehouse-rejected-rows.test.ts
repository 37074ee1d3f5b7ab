import { describe, expect, it } from 'vitest'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { setUpWarehouse } from '../support/set-up-warehouse.js'
import { until } from '../support/until.js'
import { stored, type World } from './warehouse-world.js'

let world: World
const { loaded } = setUpWarehouse(current => {
  world = current.world
})

describe('rows that ClickHouse rejects', () => {
  it('stores them in rejected_events and loads the rest of the block', async () => {
    world.load()
    world.load({ spec: SPECS.rejected })
    const poison = { ...stored({ messageId: 'poison' }), timestamp: 'yesterday' }
    await world.publish([stored(), poison, stored()])
    await loaded(2)
    const rejected = await until(
      'the rejection',
      () =>
        world.query<Record<string, unknown>>(
          'SELECT message_id, code, reason, payload FROM slotstream.rejected_events',
        ),
      rows => rows.length > 0,
    )
    expect(rejected).toHaveLength(1)
    expect(rejected[0]).toMatchObject({ message_id: 'poison', code: 'warehouse_refused' })
    expect(rejected[0]?.payload).toContain('yesterday')
  })

  it('takes any JSON a browser can send', async () => {
    world.load()
    const odd = [
      { 'a.b': 1, a: { b: 2 } },
      { A: 1, a: 2, '': { '': 3 } },
      { a: [1, 'x', null, true, { b: 1 }, [2]] },
      { a: 2 ** 64, b: -(2 ** 63) * 2, c: 1e308, d: [2 ** 65] },
      { '\ud800': '\udfff', nul: '\u0000' },
      Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])),
      { k: 1 },
      { k: 'one' },
      { k: { k: [] } },
      { when: '2026-01-01T00:00:00Z', nan: 'NaN' },
    ]
    await world.publish(odd.map(properties => stored({ properties: properties as never })))
    await loaded(odd.length)
    expect(
      await world.number("SELECT count() FROM slotstream.events WHERE properties.when = '2026-01-01T00:00:00Z'"),
    ).toBe(1)
  })

  it('keeps all digits of numbers that JavaScript would round', async () => {
    world.load()
    const [one, other, huge] = ['175928847299117063', '175928847299117064', '18446744073709551615']
    const messages = [one, other].map(id =>
      JSON.stringify(stored({ properties: { n: 0 } })).replace('"n":0', `"n":${id},"huge":${huge}`),
    )
    const envelope = { siteId: 'demo', visitorId: 'v1', receivedAt: new Date().toISOString() }
    await world.nats.js.publish('events.3', `${JSON.stringify(envelope).slice(0, -1)},"sent":[${messages.join()}]}`)
    await loaded(2)
    expect(
      await world.query(
        'SELECT toString(properties.n.:Int64) AS n, toString(properties.huge) AS huge FROM slotstream.events ORDER BY n',
      ),
    ).toEqual([
      { n: one, huge },
      { n: other, huge },
    ])
  })
})
