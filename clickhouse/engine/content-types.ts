import type { EngineConnection } from './connections/engine-connection.js'

/** Reads the `Content-Type` of each output format of the engine, by the format's name in lower case. */
export async function readContentTypes(connection: EngineConnection): Promise<ReadonlyMap<string, string>> {
  const sql = 'SELECT lower(name), content_type FROM system.formats WHERE is_output'
  const lines = (await connection.queryAsync(sql, { format: 'JSONCompactEachRow' })).text()
  const rows = lines.split('\n').filter(line => line !== '')
  return new Map(rows.map(line => JSON.parse(line) as [string, string]))
}
