import { randomUUID } from 'node:crypto'
import type { Engine } from '../engine/engine.js'
import { readStatement } from '../sql/statement.js'
import { createQueryLog, type QueryLog } from './query-log.js'
import { INSERT_LOG } from './table.js'

/** Creates the log whose rows the engine keeps. */
export function openQueryLog(engine: Engine, warn: (entry: Record<string, unknown>) => void): QueryLog {
  const never = new AbortController().signal
  const statement = readStatement(`${INSERT_LOG}\n`)
  return createQueryLog({
    warn,
    insert: rows =>
      engine.insert(
        {
          id: randomUUID(),
          statement,
          format: 'TabSeparated',
          database: 'default',
          settings: [],
          parameters: [],
          readOnly: false,
        },
        rows,
        never,
      ),
  })
}
