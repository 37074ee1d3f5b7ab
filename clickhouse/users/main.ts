import { join, resolve } from 'node:path'
import { textSetting, UsageError } from '@slotstream/runtime'
import { parseArguments } from './parse-arguments.js'
import { runOnUsers } from './run-command.js'
import { openUsersStore } from './users-store.js'

/** Keeps the users of the embedded ClickHouse. Exit code 0, 1 when something failed, 2 for a wrong command line. */
try {
  const command = parseArguments(process.argv.slice(2))
  const dataDir = textSetting('DATA_DIR')
  const file = resolve(textSetting('CLICKHOUSE_USERS_FILE') ?? join(dataDir, 'clickhouse-users.json'))
  const serverDir = resolve(textSetting('CLICKHOUSE_DATA_DIR') ?? join(dataDir, 'clickhouse'))
  await runOnUsers(command, openUsersStore(file, serverDir), console.log)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
