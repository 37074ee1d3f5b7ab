import { type SignalEnvelope, type Site, streamSubject } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { describe, expect, it } from 'vitest'
import { startWarehouse } from '#aggregator/warehouse/role.js'
import { clusterDdl } from '#aggregator/warehouse/tables/cluster-ddl.js'
import { migrate, readMigrations, statementsOf } from '#aggregator/warehouse/tables/migrate.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { setUpWarehouse } from '../support/set-up-warehouse.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, stored, type World } from './warehouse-world.js'

let clickhouse: ClickHouse
let world: World

const { loaded } = setUpWarehouse(current => {
  ;({ clickhouse, world } = current)
})

describe('the context', () => {
  it('has columns for its common paths and room for any other, whatever stands there', async () => {
    world.load()
    await world.publish([
      stored({
        messageId: '1',
        context: { locale: 'de-DE', page: { url: 'https://a.example/' }, mine: { deep: [1] } },
      }),
      stored({ messageId: '2', context: { locale: 5, page: 'no object', userAgent: null, library: ['odd'] } as never }),
      stored({ messageId: '3', context: { page: { url: { nested: true }, title: 1e3 } } as never }),
      stored({ messageId: '4' }),
    ])
    await loaded(4)
    expect(
      await world.query(
        `SELECT message_id, context.locale AS locale, context.page.url AS url, context.mine.deep[1]::Nullable(Int64) AS deep,
           toTypeName(context.userAgent) AS type
         FROM slotstream.events ORDER BY message_id`,
      ),
    ).toEqual([
      { message_id: '1', locale: 'de-DE', url: 'https://a.example/', deep: 1, type: 'LowCardinality(String)' },
      { message_id: '2', locale: '5', url: '', deep: null, type: 'LowCardinality(String)' },
      { message_id: '3', locale: '', url: '{"nested":true}', deep: null, type: 'LowCardinality(String)' },
      { message_id: '4', locale: '', url: '', deep: null, type: 'LowCardinality(String)' },
    ])
  })
})

describe('retention', () => {
  const putSite = (siteId: string, retention?: Site['retention']) =>
    world.installation.buckets.sites.put(siteId, JSON.stringify({ siteId, writeKeys: [siteId], retention }))
  const comment = async () => {
    const [row] = await world.query<{ comment: string }>(
      "SELECT comment FROM system.tables WHERE database = 'slotstream' AND name = 'events'",
    )
    return row?.comment
  }

  it('deletes the old rows of the site that wants it, and of no other, until it keeps them again', async () => {
    await putSite('short', { events: 10 })
    await putSite('long')
    const warehouse = startWarehouse({
      nats: world.nats,
      publisher: world.publisher,
      installation: world.installation,
      clickhouse: clickhouse.account,
      metrics: createMetrics(),
      log: world.log,
      identity: someIdentity(),
    })
    try {
      await until('the TTL', comment, text => text === 'keeps short for 10 days')
      const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 3600_000).toISOString()
      await world.publish([stored({ messageId: 'old' })], daysAgo(11), 'short')
      await world.publish([stored({ messageId: 'new' })], daysAgo(9), 'short')
      await world.publish([stored({ messageId: 'old' })], daysAgo(11), 'long')
      const ids = async () => {
        // It is merges that delete.
        await clickhouse.client.command({ query: 'OPTIMIZE TABLE slotstream.events FINAL' })
        return world.query('SELECT site_id, message_id FROM slotstream.events ORDER BY site_id, message_id')
      }
      await until('both that are kept', ids, rows => rows.length === 2)
      expect(await ids()).toEqual([
        { site_id: 'long', message_id: 'old' },
        { site_id: 'short', message_id: 'new' },
      ])
      await putSite('short')
      await until('no TTL', comment, text => text === '')
      await world.publish([stored({ messageId: 'older' })], daysAgo(12), 'short')
      await until('a row that stays', ids, rows => rows.length === 3)
    } finally {
      await warehouse.stop()
    }
  })
})

describe('signals', () => {
  const found = (...ids: string[]): SignalEnvelope => {
    const at = '2026-01-02T03:04:05.006Z'
    const times = { timestamp: at, originalTimestamp: at, sentAt: at }
    return {
      siteId: 'demo',
      visitorId: 'v1',
      receivedAt: at,
      signals: ids.map(signalId => ({
        signalId,
        signal: 'repeated_view',
        messageId: `m-${signalId}`,
        ...times,
        anonymousId: 'v1',
        userId: '',
        sessionId: 's1',
        details: { product_id: 'p1', views: 3 },
      })),
    }
  }
  const publish = (envelope: unknown) => world.nats.js.publish(streamSubject('signals', 3), JSON.stringify(envelope))
  const count = () => world.number('SELECT count() FROM slotstream.signals')

  it('are loaded once each, also when they come again in another message, or after a restart', async () => {
    const loader = world.load({ spec: SPECS.signals })
    await publish(found('a', 'b'))
    await until('two signals', count, n => n === 2)
    await publish(found('b', 'c'))
    await until('a third one', count, n => n === 3)
    await loader.stop()
    world.load({ spec: SPECS.signals })
    await publish(found('a'))
    await publish(found('d'))
    await until('a fourth one', count, n => n === 4)
    expect(
      await world.query(
        `SELECT site_id, timestamp, anonymous_id, session_id, signal, details.product_id AS product
         FROM slotstream.signals WHERE signal_id = 'd'`,
      ),
    ).toEqual([
      {
        site_id: 'demo',
        timestamp: '2026-01-02 03:04:05.006',
        anonymous_id: 'v1',
        session_id: 's1',
        signal: 'repeated_view',
        product: 'p1',
      },
    ])
  })

  it('that no rows can be made of are kept as dead letters, and those that the table refuses as rejected', async () => {
    world.load({ spec: SPECS.signals })
    await publish({ siteId: 'demo' })
    const envelope = found('bad', 'good')
    envelope.signals[0]!.timestamp = '2026-99-99'
    await publish(envelope)
    await until('the good one', count, n => n === 1)
    const letters = await world.nats.manager.streams.getMessage('DEAD_LETTERS', { last_by_subj: 'dead.warehouse.>' })
    expect(letters?.json()).toMatchObject({ stream: 'SIGNALS', seq: 1 })
    const refused = await world.nats.manager.streams.getMessage('REJECTED', { last_by_subj: 'rejected.3' })
    expect(refused?.json()).toMatchObject({ rejected: [{ code: 'warehouse_refused', messageId: 'm-bad' }] })
  })

  it('come into the view that the empty table of earlier versions becomes, whoever migrates last', async () => {
    const { client } = clickhouse
    await client.command({ query: 'DROP DATABASE slotstream SYNC' })
    const migrations = await readMigrations()
    const before = migrations.filter(({ version }) => version < 11)
    await migrate(client, before)
    await migrate(client, migrations)
    world.load({ spec: SPECS.signals })
    await publish(found('a'))
    await until('a signal', count, n => n === 1)
    // A second process that found the migration still to do.
    for (const statement of statementsOf(migrations.find(({ version }) => version === 11)!.sql))
      await client.command({ query: statement })
    expect(await count()).toBe(1)
  })
})

describe('on a cluster', () => {
  it('every migration is still what ClickHouse reads, with the cluster and replicated engines in it', async () => {
    const ddl = clusterDdl('main')
    for (const { sql } of await readMigrations())
      for (const statement of statementsOf(sql)) {
        const result = await clickhouse.client.query({
          query: 'SELECT formatQuery({statement:String}) AS formatted',
          query_params: { statement: ddl(statement) },
          format: 'JSONEachRow',
        })
        const [row] = await result.json<{ formatted: string }>()
        // Replicas get inserted rows from each other.
        if (!row?.formatted.startsWith('INSERT')) expect(row?.formatted).toContain(`ON CLUSTER main`)
        if (statement.includes('ENGINE ='))
          expect(row?.formatted).toMatch(/ENGINE = Replicated\w*MergeTree\('\/clickhouse\/tables\//)
      }
  })
})
