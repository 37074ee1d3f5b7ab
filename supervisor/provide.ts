import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ADMIN_TOKEN_FILE } from '@slotstream/runtime'
import { closeDataFolder, giveFolder, lendFile } from './data/data-folder.js'
import { type Owner, writePrivate } from './data/private-file.js'
import { keptSecret } from './data/secrets.js'
import { natsConfig } from './nats/config.js'
import { natsDir } from './nats/folder.js'
import { keptNatsUsers } from './nats/users.js'
import { obtainNatsServer } from './obtain/nats-server.js'
import { type Account, accountOf, objectionTo } from './process/run-as.js'
import { EMBEDDED_PROGRAM, NATS_CONFIG, type Provided } from './services.js'
import type { SupervisorSettings } from './settings.js'

/** File of the data folder with the named users of the embedded ClickHouse, where there are some. */
const CLICKHOUSE_USERS_FILE = 'clickhouse-users.json'

/**
 * Makes ready what the services need: programs, secrets, and folders that are closed to others and belong to the users
 * that the services run as.
 *
 * @param note is told of what takes time, and of what is less safe than it could be
 */
export async function provide(
  settings: SupervisorSettings,
  umask: number,
  note: (text: string) => void,
): Promise<Provided> {
  const { dataDir, natsPort } = settings
  const clickhouse = settings.clickhouseUrl ? undefined : accountOf('CLICKHOUSE_RUN_AS', settings.clickhouseRunAs)
  const nats = settings.natsUrl ? undefined : accountOf('NATS_RUN_AS', settings.natsRunAs)
  const open = closeDataFolder(dataDir, { shared: Boolean(clickhouse || nats) })
  if (open) note(`${dataDir} is left open, because ${open}: set DATA_DIR to a folder of its own`)
  const provided: Provided = {
    natsServer: settings.natsUrl ? '' : await obtainNatsServer({ dataDir, log: note }),
    adminToken: settings.adminToken || keptSecret(dataDir, ADMIN_TOKEN_FILE),
    clickhousePassword: keptSecret(dataDir, 'clickhouse-password'),
    umask,
    owners: {},
  }

  if (!settings.clickhouseUrl) {
    const owner = able('clickhouse', 'CLICKHOUSE_RUN_AS', clickhouse, { files: [...embeddedFiles(), dataDir] }, note)
    giveFolder(join(dataDir, 'clickhouse'), owner ?? ownUser())
    if (owner) {
      lendFile(join(dataDir, CLICKHOUSE_USERS_FILE), owner)
      provided.owners.clickhouse = owner
    }
  }
  if (!settings.natsUrl) {
    const program = { program: provided.natsServer, args: ['--version'] }
    const owner =
      able('nats-server', 'NATS_RUN_AS', nats, { files: [dataDir] }, note) &&
      able('nats-server', 'NATS_RUN_AS', nats, program, note)
    const storeDir = natsDir(dataDir)
    const users = keptNatsUsers(dataDir, natsPort)
    giveFolder(storeDir, owner ?? ownUser())
    writePrivate(join(dataDir, NATS_CONFIG), natsConfig({ port: natsPort, storeDir, users }), owner)
    provided.natsUsers = users
    if (owner) provided.owners['nats-server'] = owner
  }
  return provided
}

/** Returns the account, if the service can run as it; otherwise notes that it runs as root, and why. */
function able(
  service: string,
  variable: string,
  account: Account | undefined,
  needs: Parameters<typeof objectionTo>[1],
  note: (text: string) => void,
): Account | undefined {
  const objection = account && objectionTo(account, needs)
  if (objection === undefined) return account
  note(`${service} runs as root, because the user ${account!.name} can't (${objection}): see ${variable}`)
  return undefined
}

/** Paths of the checkout that the embedded ClickHouse reads: our program, its dependencies, and the engine. */
function embeddedFiles(): string[] {
  const program = fileURLToPath(new URL(`../../${EMBEDDED_PROGRAM}`, import.meta.url))
  const require = createRequire(program)
  return [program, ...['@slotstream/runtime', 'chdb'].flatMap(name => resolved(require, name))]
}

/** Nothing where it isn't installed, which the program says itself. */
function resolved(require: NodeJS.Require, name: string): string[] {
  try {
    return [require.resolve(name)]
  } catch {
    return []
  }
}

function ownUser(): Owner {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
}
