import type { ClickHouseClient } from '@clickhouse/client'

/** A column of a table that is stored, as ClickHouse describes it. */
export interface StoredColumn {
  name: string
  type: string
  default_type: string
  default_expression: string
}

/** Reads the columns of a table that are stored rather than computed. */
export async function storedColumns(clickhouse: ClickHouseClient, table: string): Promise<StoredColumn[]> {
  const result = await clickhouse.query({ query: `DESCRIBE TABLE ${table}`, format: 'JSONEachRow' })
  const columns = await result.json<StoredColumn>()
  return columns.filter(({ default_type }) => default_type === '' || default_type === 'DEFAULT')
}

/**
 * Writes the columns of a table that takes a file of the lake. A file has JSON as text, which becomes JSON as it did
 * when it was loaded only on the way from table to table. Pure.
 */
export function asInFile(columns: StoredColumn[]): string {
  return columns
    .map(({ name, type, default_expression: expression }) => {
      const [as, otherwise] = type.startsWith('JSON') ? ['String', "'{}'"] : [type, expression]
      // An older file may lack it.
      return `\`${name}\` ${as}${otherwise && ` DEFAULT ${otherwise}`}`
    })
    .join(', ')
}

/** Returns the columns of a table that takes a file of the lake of `table`, as SQL. */
export async function readableColumns(clickhouse: ClickHouseClient, table: string): Promise<string> {
  return asInFile(await storedColumns(clickhouse, table))
}
