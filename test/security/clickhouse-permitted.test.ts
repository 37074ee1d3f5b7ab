import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { DEFAULT_ANALYST_LIMITS } from '#clickhouse/access/settings/limits.js'
import type { GuardUser } from '#clickhouse/guard/guard.js'
import * as reviewed from '#clickhouse/guard/names/engine-names.js'
import { withGuardedEngine } from '../support/guarded-engine.js'

// What the guard has to let pass: a guard that rejects everything would pass all attacks.

const engine = withGuardedEngine('clickhouse-permitted')

describe('legitimate SQL passes', () => {
  const ANALYST: GuardUser = { role: 'analyst', databases: [] }
  const check = (sql: string, parameters: [string, string][] = []) =>
    engine.guard.check({ sql, database: 'slotstream', parameters }, ANALYST)
  const cookbook = readFileSync(fileURLToPath(new URL('../../docs/sql.md', import.meta.url)), 'utf8')

  it.each([...cookbook.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => [sql!.trim()]))(
    'of the cookbook: %s',
    async sql => {
      await check(sql)
    },
  )

  it.each([
    // What BI tools ask for: Metabase, Grafana, Tableau, Superset, DBeaver, clickhouse-connect, DataGrip.
    'SELECT version()',
    'SELECT 1',
    'select 1;',
    'SELECT version(), timezone()',
    'SELECT currentUser(), timezone(), currentDatabase(), hostName(), uptime()',
    'SHOW DATABASES',
    'SHOW TABLES',
    "SHOW TABLES FROM slotstream LIKE '%'",
    'SHOW FULL TABLES IN slotstream',
    'SHOW CREATE TABLE `slotstream`.`events`',
    'SHOW COLUMNS FROM events FROM slotstream',
    'SHOW PROCESSLIST',
    'SHOW FUNCTIONS',
    "SHOW SETTINGS LIKE 'max%'",
    'SHOW GRANTS',
    'DESCRIBE TABLE slotstream.events',
    'DESC events',
    'DESCRIBE TABLE (SELECT count() AS n, timestamp FROM events GROUP BY timestamp)',
    'EXISTS TABLE slotstream.events',
    'EXPLAIN SELECT count() FROM events',
    'EXPLAIN SYNTAX SELECT * FROM events',
    'EXPLAIN PLAN header = 1, indexes = 1 SELECT count() FROM events',
    'EXPLAIN PIPELINE SELECT count() FROM events',
    'EXPLAIN ESTIMATE SELECT count() FROM events',
    "select name, type, comment from system.columns where table = 'events' and database = 'slotstream'",
    "SELECT name, database, engine, total_rows, total_bytes, primary_key, sorting_key FROM system.tables WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')",
    "SELECT name AS TABLE_SCHEM, null AS TABLE_CATALOG FROM system.databases WHERE name LIKE '%' ORDER BY name",
    'SELECT name, value, readonly FROM system.settings',
    'SELECT name, value, changed, description, type FROM system.settings WHERE changed = 1',
    'SELECT name, is_aggregate FROM system.functions ORDER BY name',
    'SELECT name FROM system.data_type_families',
    "SELECT name, alias_to FROM system.data_type_families WHERE alias_to != ''",
    'SELECT * FROM system.formats',
    'SELECT name FROM system.table_engines',
    'SELECT word FROM system.completions LIMIT 1000',
    'SELECT c.name, c.type, t.engine FROM system.columns AS c INNER JOIN system.tables AS t ON c.table = t.name AND c.database = t.database',
    'SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS',
    'SELECT table_name FROM information_schema.tables WHERE table_schema = currentDatabase()',
    'SELECT * FROM (SELECT * FROM `slotstream`.`events`) AS `virtual_table` LIMIT 100',
    'SELECT toStartOfInterval(toDateTime(timestamp), INTERVAL 60 second) AS time, count() AS "Value #A" FROM slotstream.events WHERE timestamp >= toDateTime(1700000000) AND timestamp <= toDateTime(1700003600) GROUP BY time ORDER BY time ASC',
    '-- Metabase:: userID: 1 queryType: native queryHash: abc\nSELECT `source`.`event` AS `event`, COUNT(*) AS `count` FROM (SELECT `slotstream`.`events`.`event` AS `event` FROM `slotstream`.`events`) AS `source` GROUP BY `source`.`event`',
    'SELECT "events"."event" AS "event", SUM(1) AS "sum:Number of Records:ok" FROM "slotstream"."events" "events" GROUP BY "event" HAVING (COUNT(1) > 0)',
    "SELECT DATE_TRUNC('month', timestamp) AS m, count(DISTINCT anonymous_id) FROM events GROUP BY m WITH TOTALS FORMAT JSON",
    'SELECT sum(x) OVER (PARTITION BY site_id ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM events',
    'SELECT quantilesIf(0.5, 0.9)(duration_s, duration_s > 0), sumMapState(map(1, 2)), anyLast(x) FROM sessions',
    'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t',
    'WITH x -> x + 1 AS inc SELECT inc(1)',
    'WITH (a, b) -> a + b AS plus2 SELECT arrayMap(x -> plus2(x, 1), [1, 2])',
    "SELECT * EXCEPT (properties) REPLACE (upper(event) AS event), COLUMNS('^time') APPLY max FROM events",
    'SELECT * APPLY(x -> toString(x)) FROM events LIMIT 1 BY event',
    'SELECT event, arrayJoin(mapKeys(affinities)) AS k FROM profiles ARRAY JOIN segments AS s, arrayEnumerate(segments) AS i',
    'SELECT untuple(tuple(1, 2)), grouping(a) FROM (SELECT 1 AS a) GROUP BY GROUPING SETS ((a), ())',
    "SELECT a.name FROM (VALUES (1, 'x')) AS a(id, name)",
    "SELECT * FROM values('a UInt8, b Enum8(\\'x\\' = 1)', (1, 'x'))",
    "SELECT * FROM merge('slotstream', '^ev')",
    "SELECT * FROM generateRandom('a UInt8, b String') LIMIT 1",
    'SELECT url, file, remote FROM (SELECT 1 AS url, 2 AS file, 3 AS remote)',
    "SELECT a AS `a/b` FROM (SELECT 1 AS a) WHERE 'x' IN ('/', '/pricing', 'https://x') ORDER BY `a/b`",
    "SELECT cutURLParameter(page_url, 'a'), domain(referrer), URLHash(page_url), format('{} {}', 1, 2) FROM events",
    'SELECT 1 SETTINGS max_threads = 2, join_use_nulls = 1',
    'SELECT * FROM (SELECT 1 SETTINGS max_block_size = 100) SETTINGS max_threads = 1 FORMAT JSONEachRow',
    "SELECT 1 FORMAT CSV SETTINGS format_csv_delimiter = ';'",
    '\ufeffSELECT\u00a01,\u200b2\u00a0FROM\ufeffnumbers(1)',
    'SELECT 1 AS `into`, 2 AS outfile, 3 AS `parallel`, 4 AS `settings`',
    "SELECT $$it's; fine$$, 'INTO OUTFILE', 'PARALLEL WITH' -- INTO OUTFILE",
    'SELECT 1 AS `один`, 2 AS "Выручка, ₽"',
    "SELECT globalVariable('version'), @@version",
    "SELECT hasAny(segments, ['a', 'b']), hasAll([1, -2, NULL], groupUniqArray(n)), hasAny(segments, {s:Array(String)}) FROM events",
    'SELECT exists(SELECT 1), 1 = ANY (SELECT 1), (SELECT max(number) FROM numbers(3))',
    "SELECT x.y.z::Nullable(String), j.a.:Int64, t.1, m['k'], interval 1 day, date '2020-01-01', 1e5, 0xff, -1 FROM events AS x",
  ])('of people and BI tools: %s', async sql => {
    const { sql: canonical } = await check(sql)
    // What runs parses, too.
    expect((await check(canonical)).sql).toBe(canonical)
  })

  it.each([
    ...[...reviewed.SLOW_FUNCTIONS, ...reviewed.DEEP_FUNCTIONS].map(name => `SELECT ${name}(s, s) FROM events`),
    'SELECT arrayLevenshteinDistance(range(200000), range(200000))',
    'SELECT arrayMap(levenshteinDistance, [s], [s]) FROM events',
    'SELECT * APPLY levenshteinDistance FROM events',
    'SELECT hasAny(range(200000), arrayReverse(range(200000)))',
    'SELECT HASALL(a, [1, n]) FROM events',
    'SELECT hasAny([[1, 2][1]], a) FROM events',
    'SELECT hasAny(a, {p:Array(String)} || b) FROM events',
    'SELECT arrayMap(hasAny, [a], [b]) FROM events',
    'SELECT * APPLY hasAll FROM events',
  ])('but not what goes on whatever the time limit says, or ends the engine: %s', async sql => {
    for (const user of [ANALYST, { role: 'builder', databases: ['built'] }] as const)
      await expect(engine.guard.check({ sql, database: 'slotstream', parameters: [] }, user)).rejects.toThrow(
        /time limit|deep input|names a function that isn't allowed/,
      )
    await engine.guard.check({ sql, database: 'slotstream', parameters: [] }, { role: 'writer', databases: [] })
  })

  it('with names and values in parameters, in session statements too', async () => {
    const sql =
      'SELECT {c:Identifier}, {v:Array(String)} FROM {d:Identifier}.{t:Identifier} WHERE x = {n:Nullable(UInt64)}'
    const checked = await check(sql, [
      ['c', 'a b'],
      ['d', 'slotstream'],
      ['t', 'events'],
      ['v', "['x']"],
    ])
    expect(checked.sql).toBe(
      'SELECT `a b`, {v:Array(String)} FROM `slotstream`.`events` WHERE x = {n:Nullable(UInt64)}',
    )
    expect(
      await engine.guard.check({ sql: 'set max_threads=1', database: '', parameters: [], inSession: true }, ANALYST),
    ).toEqual({
      sql: 'SET max_threads = 1',
      settings: [],
    })
  })

  it('of the loader, which lets the engine read rows into nothing', async () => {
    const structure =
      "a DateTime64(3, \\'UTC\\'), c JSON(max_dynamic_paths=4, `page.default` String), m Map(String, Float64)"
    const sql = `INSERT INTO FUNCTION null('${structure}') FORMAT JSONEachRow`
    await engine.guard.check({ sql, database: 'default', parameters: [] }, { role: 'writer', databases: [] })
    for (const added of [
      "b String DEFAULT file(\\'x\\')",
      "b ALIAS `fil\\\\x65`(\\'x\\')",
      'b String default 1',
      '"b" Int8',
      'b Int8 /* */',
    ])
      await expect(check(`SELECT * FROM null('${structure}, ${added}')`)).rejects.toThrow(
        /names and types|can't be checked/,
      )
  })

  it('and its SETTINGS come out for the caller to bound', async () => {
    const checked = await check(
      "SELECT * FROM (SELECT 1 SETTINGS max_threads = 1) SETTINGS join_use_nulls = 1, limit = '5' FORMAT CSV",
    )
    expect(checked.settings).toEqual([
      ['max_threads', '1'],
      ['join_use_nulls', '1'],
      ['limit', '5'],
    ])
    expect(checked.sql).toBe('SELECT * FROM (SELECT 1) FORMAT CSV')
    await expect(check('SELECT * FROM (SELECT 1 SETTINGS limit = 1) SETTINGS limit = 2')).rejects.toThrow('twice')
  })
})

describe('a builder', () => {
  const BUILDER: GuardUser = { role: 'builder', databases: ['built', 'built_too', 'slotstream'] }
  const check = (sql: string, database = 'built') => engine.guard.check({ sql, database, parameters: [] }, BUILDER)

  it.each([
    'CREATE DATABASE IF NOT EXISTS built',
    'CREATE DATABASE built_too ENGINE = Atomic',
    'CREATE TABLE t2 (a UInt8, `file` Nullable(String), d DateTime64(3) CODEC(Delta, ZSTD(1)), INDEX i (a, d) TYPE minmax GRANULARITY 4, PROJECTION p (SELECT a, count() GROUP BY a)) ENGINE = ReplacingMergeTree(d) PARTITION BY toYYYYMM(d) ORDER BY (a, d) TTL toDateTime(d) + INTERVAL 30 DAY SETTINGS index_granularity = 8192, allow_nullable_key = 1',
    'CREATE TABLE built.x ENGINE = MergeTree() ORDER BY (tuple()) EMPTY AS (SELECT event, count() AS n FROM slotstream.events GROUP BY event)',
    'CREATE OR REPLACE TABLE built.x ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM slotstream.events',
    'CREATE OR REPLACE VIEW `built`.`v` AS (WITH a AS (SELECT * FROM slotstream.events) SELECT * FROM a)',
    'CREATE TABLE built.y AS built.x',
    'CREATE TABLE built.events AS slotstream.events',
    'INSERT INTO `built`.`x` ("event", "n") SELECT event, 1 FROM slotstream.events SETTINGS max_threads = 1',
    'INSERT INTO built.x (event, n) FORMAT CSVWithNames',
    'RENAME TABLE built.x TO built.z, built.y TO built_too.y',
    'EXCHANGE TABLES built.x AND built.y',
    'ALTER TABLE built.x ADD COLUMN IF NOT EXISTS z UInt8 DEFAULT 1 AFTER a, DROP COLUMN q',
    "ALTER TABLE built.x MODIFY COLUMN a UInt16, COMMENT COLUMN a 'text', MODIFY COMMENT 'x'",
    'ALTER TABLE built.x DELETE WHERE event IN (SELECT event FROM slotstream.events) SETTINGS mutations_sync = 2',
    "ALTER TABLE built.x REPLACE PARTITION ID 'a' FROM built.y",
    'ALTER TABLE built.x MODIFY SETTING index_granularity = 1',
    'DELETE FROM built.x WHERE event IN (SELECT event FROM built.y)',
    'UPDATE built.x SET n = 1 WHERE 1',
    'DROP TABLE IF EXISTS built.x SYNC',
    'DROP VIEW IF EXISTS built.v',
    'DROP DATABASE IF EXISTS built_too',
    'TRUNCATE TABLE built.x',
    'OPTIMIZE TABLE built.x FINAL',
    'CREATE TEMPORARY TABLE t (a UInt8)',
    'DROP TEMPORARY TABLE t',
    'CREATE TABLE built.x (u UUID, temporary UInt8) ENGINE = MergeTree ORDER BY temporary',
    'CREATE VIEW with AS SELECT 1',
    'CREATE TABLE if (a UInt8) ENGINE = MergeTree ORDER BY tuple()',
    'DROP TABLE IF EXISTS built.x, built.y',
    'RENAME TABLE IF EXISTS built.x TO built.z, IF EXISTS built.y TO built_too.y',
    "CREATE VIEW built.v (a UInt8) SQL SECURITY INVOKER AS (SELECT 1 AS a) UNION ALL (SELECT 2) COMMENT 'x'",
    'CREATE TABLE built.x CLONE AS built.y',
    'CREATE TABLE built.x AS numbers(1)',
    'CREATE MATERIALIZED VIEW built.m TO built.x AS SELECT n FROM built.t',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY n AS WITH c AS (SELECT n FROM t) SELECT n FROM c',
    'CREATE MATERIALIZED VIEW built.m REFRESH EVERY 1 HOUR ENGINE = MergeTree ORDER BY n AS SELECT count() AS n FROM slotstream.events',
    'CREATE MATERIALIZED VIEW built.m REFRESH EVERY 1 HOUR TO built.x AS SELECT count() AS n FROM slotstream.events',
    'CREATE MATERIALIZED VIEW built.m REFRESH AFTER 1 MINUTE 30 SECOND APPEND TO built.x AS SELECT count() AS n FROM slotstream.events',
    'ALTER TABLE built.m MODIFY REFRESH EVERY 5 MINUTE',
    'SELECT * FROM slotstream.events AS e JOIN built.x ON 1',
    "SELECT name, database FROM system.tables WHERE database = 'built'",
  ])('may run %s', async sql => {
    await check(sql)
  })

  it.each([
    'CREATE TABLE slotstream.x (a UInt8) ENGINE = MergeTree ORDER BY tuple()',
    'CREATE TABLE default.x (a UInt8) ENGINE = MergeTree ORDER BY tuple()',
    'CREATE TABLE other.x (a UInt8) ENGINE = MergeTree ORDER BY tuple()',
    'CREATE DATABASE other',
    'CREATE DATABASE slotstream',
    "CREATE DATABASE built ENGINE = MySQL('a', 'b', 'c', 'd')",
    // Names that are also keywords.
    'CREATE VIEW slotstream.temporary AS SELECT 1',
    'CREATE TABLE slotstream.x (temporary UInt8) ENGINE = MergeTree ORDER BY temporary',
    'CREATE TEMPORARY TABLE slotstream.x (a UInt8)',
    'DROP TEMPORARY TABLE slotstream.events',
    'CREATE MATERIALIZED VIEW select TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW with TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW built.with TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW if TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW exists TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW to TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW m REFRESH AFTER 1 DAY DEPENDS ON with TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW m REFRESH AFTER 1 DAY DEPENDS ON to TO slotstream.events AS SELECT * FROM built.t',
    'RENAME TABLE built.x TO built.y, IF EXISTS slotstream.events TO built.stolen',
    'RENAME TABLE IF EXISTS built.x TO built.y, IF EXISTS slotstream.events TO built.stolen',
    'CREATE MATERIALIZED VIEW built.m (after UInt8, INDEX refresh after TYPE minmax) ENGINE = MergeTree ORDER BY tuple() AS SELECT throwIf(1) AS after FROM slotstream.events',
    'CREATE MATERIALIZED VIEW refresh (after UInt8, INDEX refresh every TYPE minmax, every UInt8) ENGINE = MergeTree ORDER BY tuple() AS SELECT 1 AS after, 1 AS every FROM slotstream.events',
    'CREATE VIEW slotstream.v AS SELECT 1',
    'CREATE MATERIALIZED VIEW built.m TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW built.m REFRESH EVERY 1 HOUR TO slotstream.events AS SELECT * FROM built.t',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS SELECT throwIf(1) FROM slotstream.events',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM (SELECT * FROM slotstream.events)',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS WITH c AS (SELECT * FROM slotstream.events) SELECT * FROM c',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM built.t, slotstream.events',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM built.t UNION ALL SELECT * FROM slotstream.events',
    'CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM other.t',
    'ALTER TABLE built.m MODIFY QUERY SELECT throwIf(1) FROM slotstream.events',
    'INSERT INTO slotstream.events SELECT * FROM built.t',
    "INSERT INTO TABLE FUNCTION null('a UInt8') SELECT 1",
    'ALTER TABLE slotstream.events DELETE WHERE 1',
    "ALTER TABLE built.x MOVE PARTITION ID 'a' TO TABLE slotstream.events",
    "ALTER TABLE built.x MOVE PARTITION ID 'a' TO DISK 'x'",
    'ALTER TABLE built.x FREEZE',
    "ALTER TABLE built.x FETCH PARTITION ID 'a' FROM '/x'",
    "ALTER TABLE built.x MODIFY SETTING storage_policy = 'x'",
    "ALTER TABLE built.x MODIFY SETTING index_granularity = 1, disk = 'x'",
    'DROP TABLE slotstream.events',
    'DROP TABLE built.x, slotstream.events',
    'DROP DATABASE slotstream',
    'TRUNCATE ALL TABLES FROM slotstream',
    'TRUNCATE DATABASE slotstream',
    'RENAME TABLE built.x TO slotstream.x',
    'RENAME TABLE slotstream.events TO built.x',
    'RENAME DATABASE built TO other',
    'EXCHANGE TABLES built.x AND slotstream.events',
    'DELETE FROM slotstream.events WHERE 1',
    'UPDATE slotstream.events SET n = 1 WHERE 1',
    'OPTIMIZE TABLE slotstream.events',
    'CREATE TABLE built.x ON CLUSTER c (a UInt8) ENGINE = MergeTree ORDER BY tuple()',
    "CREATE TABLE built.x UUID '00000000-0000-0000-0000-000000000001' (a UInt8) ENGINE = MergeTree ORDER BY tuple()",
    'CREATE TABLE built.x (a UInt8) ENGINE = Buffer(slotstream, events, 1, 1, 1, 1, 1, 1, 1)',
    "CREATE TABLE built.x ENGINE = Alias('slotstream', 'events')",
    "CREATE TABLE built.x ENGINE = Merge('slotstream', 'events')",
    "CREATE TABLE built.x (a UInt8) ENGINE = EmbeddedRocksDB(0, '/tmp/x') PRIMARY KEY a",
    "CREATE TABLE built.x (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '/tmp/x/')",
    "CREATE TABLE built.x (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS storage_policy = 'x'",
    "CREATE TABLE built.x (a String DEFAULT file('/etc/passwd')) ENGINE = MergeTree ORDER BY tuple()",
    "CREATE TABLE built.x (a String, INDEX i a TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = file('/etc/passwd'))) ENGINE = MergeTree ORDER BY a",
    "CREATE TABLE built.x AS file('/etc/passwd')",
    'CREATE VIEW built.v AS SELECT 1 SETTINGS max_memory_usage = 1000000000000',
    'CREATE WINDOW VIEW built.v AS SELECT 1',
    ...['Memory', 'Set', 'Join(ANY, LEFT, a)', 'Log', 'TinyLog', 'StripeLog'].map(
      engine => `CREATE TABLE built.x (a UInt8) ENGINE = ${engine}`,
    ),
    'CREATE TEMPORARY TABLE x (a UInt8) ENGINE = Memory',
    'CREATE MATERIALIZED VIEW built.m ENGINE = Memory AS SELECT n FROM built.t',
    ...['EVERY 30 SECOND', 'AFTER 1 SECOND', 'EVERY 0 MINUTE 1 SECOND', 'EVERY 59 SECOND OFFSET 1 SECOND'].flatMap(
      when => [
        `CREATE MATERIALIZED VIEW built.m REFRESH ${when} ENGINE = MergeTree ORDER BY n AS SELECT count() AS n FROM slotstream.events`,
        `ALTER TABLE built.m MODIFY REFRESH ${when}`,
      ],
    ),
    'CREATE DICTIONARY built.d (a UInt64) PRIMARY KEY a SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(1)',
    'CREATE FUNCTION f AS x -> x',
    'CREATE USER u',
    'DETACH TABLE built.x',
    'ATTACH TABLE built.x',
    'UNDROP TABLE slotstream.events',
    'KILL QUERY WHERE 1',
    'SYSTEM SHUTDOWN',
    "BACKUP TABLE built.x TO File('/tmp/x')",
    'SELECT * FROM system.users',
    "SELECT * FROM file('/etc/passwd')",
  ])('may not run %s', async sql => {
    await expect(check(sql)).rejects.toMatchObject({
      code: expect.any(Number),
      type: expect.stringMatching(/ACCESS_DENIED|READONLY/),
    })
  })

  it('may write to a name without a database where its own is the current one, and nowhere else', async () => {
    await check('INSERT INTO x SELECT 1', 'built')
    await expect(check('INSERT INTO x SELECT 1', 'slotstream')).rejects.toThrow("isn't a database of this builder")
    await expect(
      check('CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM x', 'slotstream'),
    ).rejects.toThrow('REFRESH')
    for (const query of [
      'SELECT throwIf(1) FROM x WHERE 1 IN (WITH x AS (SELECT 1) SELECT * FROM x)',
      'WITH x AS (SELECT throwIf(1) FROM x) SELECT * FROM x',
    ])
      await expect(
        check(`CREATE MATERIALIZED VIEW built.m ENGINE = MergeTree ORDER BY tuple() AS ${query}`, 'slotstream'),
      ).rejects.toThrow('REFRESH')
  })

  it('gets a view refreshed within the limits of a query, whatever the query looks like', async () => {
    const limits = { ...DEFAULT_ANALYST_LIMITS, max_memory_usage: 123_456_789 }
    const asked =
      "toUInt64(getSetting('max_memory_usage')) AS n, toFloat64(getSetting('min_free_disk_ratio_to_perform_insert')) AS s"
    const make = async (sql: string): Promise<void> => {
      const checked = await engine.guard.check({ sql, database: 'built', parameters: [] }, { ...BUILDER, limits })
      await engine.run(checked.sql)
    }
    const queries = [
      `SELECT ${asked}`,
      `(SELECT ${asked})`,
      `WITH c AS (SELECT 1) SELECT ${asked} FROM c`,
      `(SELECT ${asked}) UNION ALL (SELECT ${asked})`,
      `SELECT ${asked} FROM numbers(1) ORDER BY n LIMIT 1 FORMAT JSON`,
    ]
    for (const [i, query] of queries.entries())
      await make(
        `CREATE MATERIALIZED VIEW built.refreshed${i} REFRESH EVERY 1 DAY ENGINE = MergeTree ORDER BY n AS ${query}`,
      )
    const read = (i: number) => engine.run(`SELECT n, round(s, 3) FROM built.refreshed${i} LIMIT 1`)
    for (const i of queries.keys()) await expect.poll(() => read(i), { timeout: 30_000 }).toBe('123456789\t0.1\n')
    // A later change of the query keeps them.
    await make(`ALTER TABLE built.refreshed0 MODIFY QUERY SELECT n + 4711 AS n, s FROM (SELECT ${asked})`)
    expect(await engine.run('SHOW CREATE TABLE built.refreshed0')).toMatch(/4711[^;]*max_memory_usage = 123456789/)
    for (const i of queries.keys()) await engine.run(`DROP TABLE built.refreshed${i} SYNC`)
  })
})
