import { describe, expect, it } from 'vitest'
import { readMigrations, statementsOf } from '#aggregator/warehouse/tables/migrate.js'

describe('migrations', () => {
  it('are numbered without a gap', async () => {
    const migrations = await readMigrations()
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
  })

  it('can be applied again after a crash in the middle', async () => {
    for (const { sql } of await readMigrations())
      for (const statement of statementsOf(sql))
        expect(statement).toMatch(
          /CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS slotstream\.|DROP TABLE IF EXISTS slotstream\.|ALTER TABLE slotstream\.\w+\s+(ADD (COLUMN|INDEX) IF NOT EXISTS|MODIFY (COLUMN|SETTING)) /,
        )
  })

  it('are split where a line ends with a semicolon', () => {
    expect(statementsOf("-- first; comment\nSELECT ';' ;\n\nSELECT 2;\n-- end\n")).toEqual([
      "-- first; comment\nSELECT ';'",
      'SELECT 2',
    ])
  })
})
