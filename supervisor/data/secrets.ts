import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivate } from './private-file.js'

/** Returns a secret that is kept in a file of the data folder that only its owner can read; made on first use. */
export function keptSecret(dataDir: string, name: string): string {
  const file = join(dataDir, name)
  try {
    const stored = readFileSync(file, 'utf8').trim()
    if (stored) return stored
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secret = randomBytes(24).toString('base64url')
  writePrivate(file, `${secret}\n`)
  return secret
}
