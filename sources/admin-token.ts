import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ReplayError } from './errors.js'

/** The admin token: ADMIN_TOKEN, or the one that `npm start` keeps under the data folder (DATA_DIR, default `.data`). */
export async function findAdminToken(env: NodeJS.ProcessEnv): Promise<string> {
  if (env.ADMIN_TOKEN) return env.ADMIN_TOKEN
  const file = join(env.DATA_DIR || '.data', 'admin-token')
  const token = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (token === '')
    throw new ReplayError(`no admin token: set ADMIN_TOKEN, or run this where npm start runs (${file} isn't there)`)
  return token
}
