import { execFile } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TOOLS } from './current-nats-server.js'

const run = promisify(execFile)

/**
 * Finds a Node of a major version: in the tools' folder, or from the package manager, whose package `node` brings it.
 *
 * @returns path of the program
 * @throws when it can't be had
 */
export async function nodeOfVersion(major: number): Promise<string> {
  const folder = join(TOOLS, `node-${major}`)
  const program = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (!(await isThere(program))) await install(major, folder)
  const { stdout } = await run(program, ['--version'])
  if (!stdout.startsWith(`v${major}.`)) throw new Error(`${program} is ${stdout.trim()}`)
  return program
}

/** Others may be at the same: the first one wins, whole. */
async function install(major: number, folder: string): Promise<void> {
  await mkdir(TOOLS, { recursive: true })
  const fresh = await mkdtemp(join(TOOLS, '.new-'))
  try {
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel', 'error']
    await run('npm', ['install', '--prefix', fresh, ...quiet, `node@${major}`], { timeout: 240_000 })
    // Servers of the product run as users of their own, and have to be able to execute it.
    await chmod(fresh, 0o755)
    await rename(fresh, folder).catch(async error => {
      if (!(await isThere(folder))) throw error
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
