import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TOOLS } from './current-nats-server.js'

/** Libraries that the tests were written against. */
const PACKAGES = ['segment-analytics-python==2.4.0', 'rudder-sdk-python==2.1.9']

const run = promisify(execFile)
const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/clients/${path}`, import.meta.url))

/** Runs a program that makes the calls of a library: `[host, write key, user, number of tracks, …]`. */
export type Calls = (...given: string[]) => Promise<unknown>

const TIMEOUT_MS = 60_000

/** Libraries for Python, from the tools' folder or from PyPI; undefined, and said, where they can't be had. */
export function pythonClients(): Promise<{ segment: Calls; rudderstack: Calls } | undefined> {
  return obtained('Segment’s and RudderStack’s libraries for Python', async () => {
    const folder = join(TOOLS, 'python-clients')
    await staged(folder, into => {
      const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check', 'install', '--target', into]
      return run('python3', [...pip, ...PACKAGES], { timeout: 120_000 })
    })
    const env = { ...process.env, PYTHONPATH: folder }
    const calls =
      (library: string): Calls =>
      (...given) =>
        run('python3', [fixture('python_calls.py'), library, ...given], { env, timeout: TIMEOUT_MS })
    await run('python3', ['-c', 'import segment.analytics, rudderstack.analytics'], { env })
    return { segment: calls('segment'), rudderstack: calls('rudderstack') }
  })
}

/** Segment's library for Go, built where Go is; undefined, and said, where it can't be. */
export function goClient(): Promise<Calls | undefined> {
  return obtained('Segment’s library for Go', async () => {
    const folder = join(TOOLS, 'go-client')
    await staged(folder, into =>
      run('go', ['build', '-o', join(into, 'calls'), '.'], {
        cwd: fixture('go'),
        env: { ...process.env, GOFLAGS: '-mod=readonly' },
        timeout: 300_000,
      }),
    )
    return (...given: string[]) => run(join(folder, 'calls'), given, { timeout: TIMEOUT_MS })
  })
}

/**
 * Segment's library for Java, whose jars are in a folder named by SEGMENT_JAVA_JARS; undefined, and said, where not.
 */
export function javaClient(): Promise<Calls | undefined> {
  return obtained('Segment’s library for Java (com.segment.analytics.java:analytics, SEGMENT_JAVA_JARS)', async () => {
    const folder = process.env.SEGMENT_JAVA_JARS ?? ''
    const jars = (folder ? await readdir(folder) : []).map(file => join(folder, file))
    if (jars.length === 0) throw new Error('SEGMENT_JAVA_JARS names no folder of jars')
    const java = ['-cp', jars.join(delimiter), fixture('java/Calls.java')]
    return (...given: string[]) => run('java', [...java, ...given], { timeout: TIMEOUT_MS })
  })
}

async function obtained<T>(what: string, obtain: () => Promise<T>): Promise<T | undefined> {
  try {
    return await obtain()
  } catch (error) {
    const [reason] = String((error as Error).message)
      .trim()
      .split('\n')
      .slice(-1)
    console.warn(`${what} cannot be had, its tests are skipped: ${reason}`)
    return undefined
  }
}

/** Fills a folder, unless it is there. Others may be at the same: the first one wins, whole. */
async function staged(folder: string, bring: (into: string) => Promise<unknown>): Promise<void> {
  if (existsSync(folder)) return
  await mkdir(TOOLS, { recursive: true })
  const into = await mkdtemp(join(TOOLS, '.new-'))
  try {
    await bring(into)
    await rename(into, folder).catch(error => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(into, { recursive: true, force: true })
  }
}
