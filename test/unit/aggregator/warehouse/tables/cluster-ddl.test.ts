import { describe, expect, it } from 'vitest'
import { clusterDdl } from '#aggregator/warehouse/tables/cluster-ddl.js'
import { readMigrations, statementsOf } from '#aggregator/warehouse/tables/migrate.js'

const ddl = clusterDdl('main')

describe('clusterDdl', () => {
  it('leaves everything alone without a cluster', () => {
    const sql = 'CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n'
    expect(clusterDdl('')(sql)).toBe(sql)
  })

  it('makes tables on all servers, replicated, with their parameters', () => {
    expect(ddl('CREATE TABLE IF NOT EXISTS a.t\n(n UInt8)\nENGINE = ReplacingMergeTree(version)\nORDER BY n')).toBe(
      "CREATE TABLE IF NOT EXISTS a.t ON CLUSTER 'main'\n(n UInt8)\n" +
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', version)\nORDER BY n",
    )
  })

  it('remembers tokens as long as late duplicates may come', () => {
    expect(
      ddl('CREATE TABLE t (n UInt8)\nENGINE = MergeTree\nORDER BY n\nSETTINGS non_replicated_deduplication_window = 9'),
    ).toContain('SETTINGS replicated_deduplication_window = 9, replicated_deduplication_window_seconds = 604800')
  })

  it.each([['SELECT 1'], ["INSERT INTO slotstream.migrations SELECT 'CREATE TABLE x'"], ['SYSTEM FLUSH LOGS']])(
    'leaves %s alone',
    sql => {
      expect(ddl(sql)).toBe(sql)
    },
  )

  it('quotes the name of the cluster', () => {
    expect(clusterDdl("it's")('DROP TABLE IF EXISTS t')).toBe("DROP TABLE IF EXISTS t ON CLUSTER 'it\\'s'")
  })

  it('reaches every statement of the migrations that defines something, once, and no engine is forgotten', async () => {
    for (const { sql } of await readMigrations())
      for (const statement of statementsOf(sql)) {
        const rewritten = ddl(statement)
        // Replicas get inserted rows from each other.
        const times = /^INSERT INTO /m.test(statement) ? 0 : 1
        expect(rewritten.match(/ON CLUSTER 'main'/g) ?? []).toHaveLength(times)
        expect(rewritten).not.toMatch(/ENGINE = (?!Replicated)\w*MergeTree|non_replicated/)
      }
  })
})
