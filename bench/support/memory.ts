import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Resident memory of processes in MB, by name; those that are gone are left out. */
export async function memoryOf(pidFiles: Record<string, string>): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const [name, file] of Object.entries(pidFiles)) {
    const pid = readFileSync(file, 'utf8').trim()
    const answer = await run('ps', ['-o', 'rss=', '-p', pid]).catch(() => undefined)
    if (answer) found[name] = Number(answer.stdout) / 1024
  }
  return found
}
