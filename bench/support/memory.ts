import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Returns the resident memory of a process in bytes; NaN where it is gone. */
export async function residentOf(pid: number): Promise<number> {
  const answer = await run('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => undefined)
  return answer ? Number(answer.stdout) * 1024 : Number.NaN
}

/** Returns the resident memory of processes in MB, by name; those that are gone are left out. */
export async function memoryOf(pidFiles: Record<string, string>): Promise<Record<string, number>> {
  const megabytes: Record<string, number> = {}
  for (const [name, file] of Object.entries(pidFiles)) {
    const pid = readFileSync(file, 'utf8').trim()
    const bytes = await residentOf(Number(pid))
    if (!Number.isNaN(bytes)) megabytes[name] = bytes / 2 ** 20
  }
  return megabytes
}
