import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Process ids of the running services, one file each, so that an operator, a test or the next start finds them. */
export function createPidFiles(dataDir: string) {
  const folder = join(dataDir, 'run')
  mkdirSync(folder, { recursive: true })
  const fileOf = (name: string) => join(folder, `${name}.pid`)

  return {
    write: (name: string, pid: number) => writeFileSync(fileOf(name), `${pid}\n`),
    remove: (name: string) => rmSync(fileOf(name), { force: true }),
    /**
     * Finds the process of that name that still runs, if its command line contains `mark`: a process id alone may long
     * belong to another process.
     */
    alive(name: string, mark: string): number | undefined {
      try {
        const pid = Number(readFileSync(fileOf(name), 'utf8'))
        if (!Number.isInteger(pid) || pid <= 1) return undefined
        const command = execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
        return command.includes(mark) ? pid : undefined
      } catch {
        return undefined
      }
    },
  }
}

export type PidFiles = ReturnType<typeof createPidFiles>
