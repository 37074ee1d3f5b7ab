import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError, type Environment, textSetting } from './read.js'
import { secretSetting } from './secrets.js'

/** File of the data folder with the admin token, where none is set. */
export const ADMIN_TOKEN_FILE = 'admin-token'

/**
 * Finds the admin token for a command: ADMIN_TOKEN, or the one that `npm start` keeps in the data folder.
 *
 * @throws ConfigurationError when there is none
 */
export async function findAdminToken(env: Environment = process.env): Promise<string> {
  const set = secretSetting('ADMIN_TOKEN', env)
  if (set) return set
  const file = join(textSetting('DATA_DIR', env), ADMIN_TOKEN_FILE)
  const token = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (token !== '') return token
  throw new ConfigurationError(
    `no admin token: set ADMIN_TOKEN, or run this where npm start runs (${file} isn't there)`,
  )
}
