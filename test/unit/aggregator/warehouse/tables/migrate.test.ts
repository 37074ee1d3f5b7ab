import { describe, expect, it } from 'vitest'
import { readMigrations, statementsOf } from '#aggregator/warehouse/tables/migrate.js'

describe('migrations', () => {
  it('have numbers that no two share', async () => {
    const versions = (await readMigrations()).map(({ version }) => version)
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
  })

  it('can be applied again after a crash in the middle', async () => {
    for (const { sql } of await readMigrations())
      for (const statement of statementsOf(sql))
        expect(statement).toMatch(
          /CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS slotstream\.|DROP TABLE IF EXISTS slotstream\.|ALTER TABLE slotstream\.\w+\s+(ADD (COLUMN|INDEX|PROJECTION) IF NOT EXISTS|DROP PROJECTION IF EXISTS|MATERIALIZE PROJECTION|MODIFY (COLUMN|SETTING)) |INSERT INTO slotstream\.\w+\s[\s\S]*\bNOT IN\b/,
        )
  })

  it('are split where a line ends with a semicolon', () => {
    expect(statementsOf("-- first; comment\nSELECT ';' ;\n\nSELECT 2;\n-- end\n")).toEqual([
      "-- first; comment\nSELECT ';'",
      'SELECT 2',
    ])
  })
})
