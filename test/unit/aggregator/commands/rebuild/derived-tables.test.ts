import { describe, expect, it } from 'vitest'
import { derivedTables } from '#aggregator/commands/rebuild/derived-tables.js'

const view = (name: string, source: string, head: string) => ({
  view: name,
  source,
  create: `CREATE MATERIALIZED VIEW slotstream.${name} ${head} AS SELECT 1 AS x FROM slotstream.${source}`,
  select: `SELECT 1 AS x FROM slotstream.${source}`,
})

describe('derived tables', () => {
  it('have all the views that fill them', () => {
    const columns = "(`site_id` String, `text` String COMMENT 'goes TO slotstream.nowhere')"
    const tables = derivedTables([
      view('b', 'decisions', `TO slotstream.daily ${columns}`),
      view('a', 'events', `TO slotstream.daily ${columns}`),
      view('c', 'events', 'TO slotstream.alone'),
    ])
    expect(tables.map(({ name, feeds }) => [name, feeds.map(feed => feed.view)])).toEqual([
      ['alone', ['c']],
      ['daily', ['b', 'a']],
    ])
  })

  it('are none of a view that refreshes by itself, or that keeps its rows in a table of its own', () => {
    expect(
      derivedTables([
        view('a', 'events', 'REFRESH EVERY 1 HOUR TO slotstream.hourly'),
        view('b', 'events', 'ENGINE = MergeTree ORDER BY x'),
      ]),
    ).toEqual([])
  })
})
