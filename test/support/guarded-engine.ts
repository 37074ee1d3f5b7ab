import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { EngineConnection } from '#clickhouse/engine/connections/connections.js'
import { openData } from '#clickhouse/engine/open-engine.js'
import { createGuard, type Guard } from '#clickhouse/guard/guard.js'
import { type Canaries, putUpCanaries } from './canaries.js'

/** What the file of the canaries holds, which no query may show. */
export const SECRET = 'the-secret-of-the-canary'

/** The engine in this process with its guard, and canaries outside of its data folder. */
export interface GuardedEngine {
  readonly canaries: Canaries
  readonly guard: Guard
  /** Runs a query without the guard, and returns its rows as text. */
  run(sql: string): Promise<string>
}

/** Opens the engine before the tests of a file, with the databases `slotstream` and `built`, and the table `built.t`. */
export function withGuardedEngine(name: string): GuardedEngine {
  let connection: EngineConnection
  const engine = {
    canaries: {} as Canaries,
    guard: {} as Guard,
    run: async (sql: string) => (await connection.queryAsync(sql, { format: 'TSVRaw' })).text(),
  }

  beforeAll(async () => {
    engine.canaries = await putUpCanaries(name, SECRET)
    const { connect } = await openData(join(engine.canaries.folder, 'data'))
    connection = connect()
    engine.guard = await createGuard(connect)
    for (const sql of [
      'CREATE DATABASE slotstream',
      'CREATE DATABASE built',
      'CREATE TABLE built.t (n UInt64, s String) ENGINE = MergeTree ORDER BY n',
    ]) {
      await connection.queryAsync(sql)
    }
  })

  afterAll(() => {
    engine.canaries.remove()
  })

  return engine
}
