import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** How long a failure is remembered, in milliseconds. */
const REMEMBERED_MS = 24 * 3_600_000

/** Remembers in a file that something failed, so that a machine without a network waits for it once a day at most. */
export function failureMemory(file: string) {
  let isFresh = false
  return {
    /**
     * Runs the work, unless it failed in the last day. Throws what it throws, or that it failed.
     *
     * @param options.evenIfFailed does it then, too, unless it failed just now
     */
    async attempt<T>({ evenIfFailed }: { evenIfFailed: boolean }, action: () => Promise<T>): Promise<T> {
      const failedAt = (await stat(file).catch(() => undefined))?.mtimeMs ?? 0
      const isRemembered = Math.abs(Date.now() - failedAt) < REMEMBERED_MS
      if (isFresh || (isRemembered && !evenIfFailed)) {
        const why = (await readFile(file, 'utf8').catch(() => 'it failed')).trim()
        throw new Error(`${why} (at ${new Date(failedAt).toISOString()}, remembered for a day in ${resolve(file)})`)
      }
      try {
        const result = await action()
        await rm(file, { force: true })
        return result
      } catch (error) {
        isFresh = true
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, `${describe(error)}\n`)
        throw error
      }
    },
  }
}

/** Returns the message, and of a failed fetch what happened, which it keeps in its cause. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== 'fetch failed' || !(error.cause instanceof Error)) return error.message
  // Where several addresses were tried, it is only a code.
  const { message, code } = error.cause as NodeJS.ErrnoException
  return `the download failed: ${message || code}`
}
