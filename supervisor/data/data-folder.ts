import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, parse } from 'node:path'
import type { Owner } from './private-file.js'

/** New files are their owner's alone. */
export const PRIVATE_UMASK = 0o077

const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600

/** Its owner writes it, a service's group reads it. */
const LENT_FILE = 0o640

/** Others may go through it, to what is theirs, and see nothing of it. */
const PASSABLE_FOLDER = 0o711

/** Holds programs, which the users of services run. */
const PROGRAMS = 'bin'

/** Folders of ours. Those of files that the supervisor writes are made at once. */
const WRITTEN_FOLDERS = ['logs', 'run']
const FOLDERS = [...WRITTEN_FOLDERS, PROGRAMS, 'nats', 'clickhouse', 'lake']

/** Files of ours. What else is in the folder is not ours to change. */
const FILES = ['admin-token', 'clickhouse-password', 'clickhouse-users.json', 'nats-users.json', 'nats-server.conf']

/** Every user may put files there, as in /tmp. */
const STICKY = 0o1000

/**
 * Makes the data folder, and closes it to other users, also one of before: folders in it are 0700 and files 0600. The
 * services close what is deeper by their umask.
 *
 * @param shared services run as users of their own, who have to get to their folders: it is 0711 itself
 * @returns why the folder itself was left as it is: it isn't ours alone
 */
export function closeDataFolder(dataDir: string, { shared }: { shared: boolean }): string | undefined {
  const ownMode = shared ? PASSABLE_FOLDER : PRIVATE_FOLDER
  mkdirSync(dataDir, { recursive: true, mode: ownMode })
  const objection = othersFolder(dataDir)
  if (!objection) chmodSync(dataDir, ownMode)
  for (const name of [...WRITTEN_FOLDERS, PROGRAMS]) mkdirSync(join(dataDir, name), { recursive: true })
  for (const name of FOLDERS) close(join(dataDir, name), shared && name === PROGRAMS ? PASSABLE_FOLDER : PRIVATE_FOLDER)
  for (const path of [
    ...FILES.map(name => join(dataDir, name)),
    ...WRITTEN_FOLDERS.flatMap(name => readdirSync(join(dataDir, name)).map(file => join(dataDir, name, file))),
  ])
    close(path, PRIVATE_FILE)
  return objection
}

function othersFolder(dataDir: string): string | undefined {
  const { mode } = lstatSync(dataDir)
  if ((mode & STICKY) !== 0) return 'others may put files there'
  if (dataDir === homedir() || dataDir === parse(dataDir).root) return 'it holds other things'
  return undefined
}

/** Sets the mode of a file or folder, where there is one. Links are left alone. */
function close(path: string, mode: number): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() || stats?.isDirectory()) chmodSync(path, mode)
}

/** Makes a folder of the data folder that belongs to `owner`, with all that is in it, and closes it to others. */
export function giveFolder(path: string, owner: Owner): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER })
  if (lstatSync(path).uid !== owner.uid) giveAll(path, owner)
  chmodSync(path, PRIVATE_FOLDER)
}

/** Lets a service read a file of the data folder that it may not change; without the file there is nothing to do. */
export function lendFile(path: string, owner: Owner): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return
  chownSync(path, process.getuid?.() ?? 0, owner.gid)
  chmodSync(path, LENT_FILE)
}

/** The folder itself comes last: the user who owns it owns all that is in it, also when this was cut short once. */
function giveAll(path: string, owner: Owner): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) giveAll(inner, owner)
    else lchownSync(inner, owner.uid, owner.gid)
  }
  lchownSync(path, owner.uid, owner.gid)
}
