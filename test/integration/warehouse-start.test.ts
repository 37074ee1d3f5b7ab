import { createMetrics } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { startWarehouse } from '#aggregator/warehouse/role.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { setUpWarehouse } from '../support/set-up-warehouse.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, stored, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World
const { loaded } = setUpWarehouse(current => {
  ;({ clickhouse, world } = current)
})

describe('migrations', () => {
  it('are applied once, and refused when a file was changed afterwards', async () => {
    const migrations = await readMigrations()
    expect(await migrate(clickhouse.client, migrations)).toEqual([])
    const changed = migrations.map(m => (m.version === 2 ? { ...m, checksum: 'other' } : m))
    await expect(migrate(clickhouse.client, changed)).rejects.toThrow('migration 2 (decisions) was changed')
  })

  it('stop where it is another process’s turn', async () => {
    const more = {
      version: 9_999,
      name: 'more',
      sql: 'CREATE TABLE slotstream.more (a UInt8) ENGINE = Memory;',
      checksum: '',
    }
    const notMine = migrate(clickhouse.client, [...(await readMigrations()), more], undefined, async () => false)
    await expect(notMine).rejects.toThrow('another process migrates the tables now')
    const found = await clickhouse.client.query({ query: 'EXISTS TABLE slotstream.more', format: 'JSONEachRow' })
    expect(await found.json()).toEqual([{ result: 0 }])
  })
})

describe('the role', () => {
  it('waits for ClickHouse, loads all streams, and stops cleanly', async () => {
    await clickhouse.kill()
    const warehouse = startWarehouse({
      nats: world.nats,
      publisher: world.publisher,
      installation: world.installation,
      clickhouse: clickhouse.account,
      metrics: createMetrics(),
      log: world.log,
      identity: someIdentity(),
    })
    expect(warehouse.missing()).toEqual(['clickhouse'])
    await clickhouse.start()
    await until(
      'readiness',
      () => warehouse.missing(),
      missing => missing.length === 0,
    )
    await world.installation.buckets.profiles.put(
      '3.demo.v=2e1',
      JSON.stringify({
        siteId: 'demo',
        visitorId: 'v.1',
        anonymousId: 'v.1',
        userId: 'u',
        firstSeen: '2026-01-01T00:00:00.000Z',
        lastSeen: '2026-01-02T00:00:00.000Z',
        sessions: 2,
        session: null,
        events: 3,
        affinities: { shoes: 1.5 },
        affinitiesAt: '2026-01-02T00:00:00.000Z',
        traits: { plan: 'pro' },
        segments: [],
        members: [['vip', Date.UTC(2026, 0, 2)]],
        seq: 9,
        recent: [],
      }),
    )
    await world.publish([stored()])
    await loaded(1)
    const profiles = await until(
      'the profile',
      () => world.query('SELECT * FROM slotstream.profiles'),
      rows => rows.length === 1,
    )
    expect(profiles[0]).toMatchObject({
      site_id: 'demo',
      anonymous_id: 'v.1',
      sessions: 2,
      affinities: { shoes: 1.5 },
      segments: ['vip'],
      traits: { plan: 'pro' },
    })
    await world.installation.buckets.profiles.delete('3.demo.v=2e1')
    await until(
      'the deletion',
      () => world.number('SELECT count() FROM slotstream.profiles'),
      n => n === 0,
    )
    await warehouse.stop()
  })
})
