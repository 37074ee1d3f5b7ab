import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError } from '@slotstream/runtime'
import { writeGrants } from '../access/grants.js'
import { createGuard, type Guard } from '../guard/guard.js'
import { createLogTable, LOG_POLICY } from '../query-log/table.js'
import type { EngineConnection } from './connections/connections.js'
import { createEngine, type Engine } from './engine.js'

/** The engine's connections, before lanes and checks are in front of them. */
export interface OpenedData {
  /** Opens one more connection. The first one starts the engine and locks the folder. */
  connect: () => EngineConnection
}

/**
 * Opens a data folder.
 *
 * @param grants whether the engine's own grants are in effect; only tests go without
 * @throws ConfigurationError when the library is missing
 */
export async function openData(folder: string, { grants = true } = {}): Promise<OpenedData> {
  const { default: chdb } = await import('chdb').catch((error: unknown) => {
    throw new ConfigurationError(
      `The npm package "chdb" can't be loaded (${error instanceof Error ? error.message : error}). It is an optional ` +
        'dependency for Linux (glibc) and macOS: run npm install, or set CLICKHOUSE_URL to a ClickHouse server',
    )
  })
  // Relative file names of queries begin at the working directory: an empty one of our own, not the program's.
  const files = join(folder, 'user_files')
  mkdirSync(files, { recursive: true })
  process.chdir(files)
  const connectionArgs = grants ? writeGrants(folder, [LOG_POLICY]) : []
  return { connect: () => new chdb.Session(folder, { connectionArgs }) }
}

/**
 * Opens the engine with its guard.
 *
 * @param guestMemory bytes that the queries of all but the trusted user may take together
 * @param onFatal called once, when only a new process can go on
 * @throws ConfigurationError when the folder can't be opened
 */
export async function openEngine(
  folder: string,
  threads: number,
  guestMemory: number,
  onFatal: (error: Error) => void,
): Promise<{ engine: Engine; guard: Guard }> {
  const { connect } = await openData(folder)
  try {
    const engine = await createEngine({
      connect,
      pipesFolder: join(folder, 'pipes'),
      spoolFolder: join(folder, 'spool'),
      threads,
      guestMemory,
      onFatal,
    })
    const maker = connect()
    await createLogTable(maker)
    maker.close()
    return { engine, guard: await createGuard(connect) }
  } catch (error) {
    throw new ConfigurationError(
      `Can't open the ClickHouse data in ${folder} (${error instanceof Error ? error.message : error}). If another ` +
        'process has it open (code 76 above), stop that one or set CLICKHOUSE_DATA_DIR',
    )
  }
}
