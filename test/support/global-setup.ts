import { execFileSync } from 'node:child_process'
import { currentNatsServer } from './current-nats-server.js'
import { makeMigratedTables } from './migrated-tables.js'

/**
 * Chooses the nats-server that all tests run on, and says which. What tests start, and `npm start` in them, find it in
 * the environment, as they do the tables to begin with.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  const program = await currentNatsServer(console.log)
  // Decided once, for all.
  delete process.env.TEST_NATS
  if (process.env.NATS_SERVER_PATH !== program) {
    process.env.NATS_SERVER_PATH = program
    console.log(`${execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()} (${program})`)
  }
  return makeMigratedTables()
}
